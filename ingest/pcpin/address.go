package pcpin

import (
	"errors"
	"net/url"
	"strings"

	"relay/relay/pcp"
	"relay/relay/pcp/index"
)

// Address is a channel, and who is asked for it first.
type Address struct {
	Tip     string // host:port
	Channel pcp.ID
	Name    string // that an index page gave it; "" if none did
}

// Errors of a line that is no channel's.
var (
	errNotice = errors.New("that line is a message of the index page, and no channel")
	errNoTip  = errors.New("the index page does not say where that channel is")
	errLine   = errors.New("a line of an index page has 19 fields with <> between them, and a channel's 32 hexadecimal digits in the second")
	errNoHost = errors.New("that address of a player says a channel, but not who has it: it needs tip=HOST:PORT")
)

// IsAddress reports whether a person means a channel of PeerCast by s.
func IsAddress(s string) bool {
	scheme, _, _ := strings.Cut(s, ":")
	_, player := playerAddress(s)
	return strings.EqualFold(scheme, "pcp") || strings.EqualFold(scheme, "peercast") || strings.Contains(s, "<>") || player
}

// ParseAddress reads what people have of a channel: pcp://host:port/<32 hex>; a line of an index
// page, pasted whole; or what a page gives to players, as peercast://pls/<32 hex>?tip=host:port
// or http://127.0.0.1:7144/pls/<32 hex>?tip=host:port. Errors are sentences for people.
func ParseAddress(s string) (a Address, err error) {
	if strings.Contains(s, "<>") {
		return parseLine(s)
	}
	if u, ok := playerAddress(s); ok {
		s = "pcp://" + u.Query().Get("tip") + "/" + lastPart(u)
		if u.Query().Get("tip") == "" {
			return a, errNoHost
		}
	}
	a.Tip, a.Channel, err = pcp.ParseLink(s)
	return a, err
}

func parseLine(s string) (a Address, err error) {
	line, ok := index.ParseLine(strings.TrimSpace(s))
	switch {
	case !ok:
		return a, errLine
	case line.Notice():
		return a, errNotice
	case line.Tip == "":
		return a, errNoTip
	}
	return Address{Tip: line.Tip, Channel: pcp.ID(line.ID), Name: line.Name}, nil
}

// playerAddress reports whether s is what index pages give to players: a list to play, from the
// PeerCast on the same machine.
func playerAddress(s string) (*url.URL, bool) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, false
	}
	if _, err := pcp.ParseID(lastPart(u)); err != nil {
		return nil, false
	}
	switch strings.ToLower(u.Scheme) {
	case "peercast":
		return u, u.Host == "pls" || strings.HasPrefix(u.Path, "/pls/") || u.Opaque != ""
	case "http":
		return u, strings.HasPrefix(u.Path, "/pls/")
	}
	return nil, false
}

// lastPart is the last part of an address's path, without what PeerCast puts behind the ID.
func lastPart(u *url.URL) string {
	path := u.Path
	if u.Opaque != "" {
		path = u.Opaque
	}
	last := path[strings.LastIndexByte(path, '/')+1:]
	id, _, _ := strings.Cut(last, ".")
	return id
}
