package relay

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	"relay/relay/oneline"
	"relay/tree"
)

// Helper is a node that takes channels from sources that nobody can dial, and that others can dial.
//
//	host[:port]/<node id>[?token=<token>]
type Helper struct {
	HostPort
	ID    tree.ID
	Token Token // by which it takes a channel that it was not given; zero for none
}

// String leaves the token out: it is for people to read, and to share.
func (h Helper) String() string { return h.HostPort.String() + "/" + h.ID.String() }

// ParseHelper parses what a helper prints. The port is [DefaultPort] if it is left out.
func ParseHelper(s string) (Helper, error) {
	const like = "relay.example.org:7144/ and the helper's ID, as relay serve --helper prints it"
	s, token, err := cutToken(strings.TrimSpace(s))
	if err != nil {
		return Helper{}, err
	}
	host, id, ok := strings.Cut(s, "/")
	if !ok {
		return Helper{}, fmt.Errorf("a helper is %s; this is %s", like, oneline.Quote(s))
	}
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(DefaultPort))
	}
	at, err := ParseHostPort(host)
	if err != nil {
		return Helper{}, err
	}
	node, err := tree.ParseID(id)
	if err != nil {
		return Helper{}, fmt.Errorf("behind the / comes the helper's ID, as relay serve --helper prints it: %w", err)
	}
	return Helper{at, node, token}, nil
}

// Place returns where the helper is, without addresses if its name leads nowhere.
func (h Helper) Place(ctx context.Context) tree.Place {
	addrs, err := lookup(ctx, h.HostPort)
	if err != nil {
		return tree.Place{}
	}
	return tree.Place{ID: h.ID, Addrs: addrs}
}
