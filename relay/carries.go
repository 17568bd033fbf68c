package relay

import (
	"context"
	"fmt"
	"net/netip"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// MostUnanswered is more than [Node.Carries] sends to an address before anything there has answered, in bytes: the first
// message of a TLS handshake with a key share after quantum computers has 1.5 KB.
const MostUnanswered = 1800

// Carries asks the node at an address whether it carries a public channel, by a survey of it, and returns nil if
// it does. The error of a node that does not, or that is busy, is a [tree.Reason]. This node need not run, nor
// carry the channel itself.
func (n *Node) Carries(ctx context.Context, id stream.ChannelID, at netip.AddrPort) error {
	d, err := n.dialAddr(ctx, n.linkTLS, at, tree.ID{})
	if err != nil {
		return err
	}
	defer d.conn.NetConn().Close()
	defer context.AfterFunc(ctx, func() { d.conn.NetConn().Close() })()
	d.guard.open(func() {}) // the frame's own bound is enough: we asked for it
	if err := (pass{}).begin(d.conn, wire.Survey{Channel: id}); err != nil {
		return err
	}
	f, err := (pass{}).answer(d.conn, wire.NewReader(d.conn, wire.Parent))
	switch f := f.(type) {
	case wire.Whole:
		return nil
	case tree.Bye:
		return f.Reason
	case nil:
		return fmt.Errorf("no answer: %w", err)
	}
	return wire.ErrNotDue
}
