package relay

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"relay/relay/wire"
	"relay/tree"
)

// lookTime bounds one node's answer about itself.
const lookTime = 3 * time.Second

// Look is what a node that carries a channel says of itself to one that only asks.
type Look struct {
	Peer tree.ID
	At   netip.AddrPort
	Way  bool   // it is the source, or has a way to it
	Name string // what it calls itself, as it has signed it; may be empty
}

// Look asks the node at an address whether it carries the invite's channel. Nobody joins. The error of a node that
// does not carry it is a [tree.Reason].
func (n *Node) Look(ctx context.Context, inv Invite, at netip.AddrPort) (Look, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lookTime, errors.New("it does not answer"))
	defer cancel()
	d, err := n.dialAddr(ctx, n.linkTLS, at, tree.ID{})
	if err != nil {
		return Look{}, err
	}
	defer d.conn.NetConn().Close()
	defer context.AfterFunc(ctx, func() { d.conn.NetConn().Close() })()
	d.guard.open(func() {}) // the frame's own bound is enough: we asked for it
	pass := passOf(inv.Channel, inv.Access)
	if err := pass.begin(d.conn, wire.Survey{Channel: inv.Channel}); err != nil {
		return Look{}, err
	}
	r := wire.NewReader(d.conn, wire.Parent)
	f, err := pass.answer(d.conn, r)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return Look{}, err
	}
	switch f := f.(type) {
	case wire.Whole:
		return Look{d.peer, at, f.Nodes[0].Flags&wire.Orphan == 0, nameOf(d.conn, r, inv, d.peer)}, nil
	case tree.Bye:
		return Look{}, f.Reason
	}
	return Look{}, fmt.Errorf("%T: %w", f, wire.ErrNotDue)
}

// nameOf asks a node that has just answered a survey what it calls itself. Without an answer it has no name.
func nameOf(conn *tls.Conn, r *wire.Reader, inv Invite, peer tree.ID) string {
	if !knows6(conn) {
		return ""
	}
	if _, err := conn.Write(wire.Append(nil, wire.WhoIs{Of: []wire.NodeTag{wire.TagOf(peer)}})); err != nil {
		return ""
	}
	f, err := r.Next()
	if names, ok := f.(wire.Names); err == nil && ok {
		for _, p := range names.Of {
			if p.Node() == peer && p.Verify(inv.Channel) {
				return p.Name()
			}
		}
	}
	return ""
}

const (
	// lookMost bounds the addresses that are asked about one channel, and lookAtOnce how many at a time.
	lookMost   = 12
	lookAtOnce = 3
)

// errNowhere says that there is nobody to ask about a channel.
var errNowhere = errors.New("no address is known at which it may be")

// LookFor asks whether the invite's channel is there: at its addresses and those that its domains tell, and at
// nodes of it that were seen when it was last watched here. It returns the first answer of a node that has a way
// to the source, or else of one that has none. Nobody joins.
func (n *Node) LookFor(ctx context.Context, inv Invite) (Look, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	addrs, err := n.placesToLook(ctx, inv)
	if len(addrs) == 0 {
		return Look{}, cmp.Or(err, errNowhere)
	}
	type result struct {
		l   Look
		err error
	}
	results := make(chan result, len(addrs)) // never blocks those who ask
	begun := 0
	next := func() {
		if begun < len(addrs) {
			at := addrs[begun]
			begun++
			go func() { // ends with ctx, or within lookTime
				l, err := n.Look(ctx, inv, at)
				results <- result{l, err}
			}()
		}
	}
	for range lookAtOnce {
		next()
	}
	var cut *Look
	for range addrs {
		r := <-results
		switch {
		case r.err == nil && r.l.Way:
			return r.l, nil
		case r.err == nil && cut == nil:
			cut = &r.l
		case r.err != nil:
			err = r.err
		}
		next()
	}
	if cut != nil {
		return *cut, nil
	}
	return Look{}, err
}

// placesToLook are the addresses at which an invite's channel may be.
func (n *Node) placesToLook(ctx context.Context, inv Invite) (all []netip.AddrPort, last error) {
	add := func(addrs []netip.AddrPort) {
		for _, a := range addrs {
			if len(all) < lookMost && !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	for _, h := range inv.Hosts {
		addrs, err := []netip.AddrPort(nil), error(nil)
		if domain, ok := h.Domain(); ok {
			addrs, err = n.askDomain(ctx, domain, inv.Channel)
		} else {
			addrs, err = lookup(ctx, h)
		}
		last = cmp.Or(err, last)
		add(addrs)
	}
	if n.cfg.Store != nil {
		seen, err := n.cfg.Store.Remembered(inv.Channel, time.Now())
		last = cmp.Or(last, err)
		for _, p := range seen {
			if p.ID != n.ID() && len(all) < lookMost {
				add(n.believed(p).Addrs)
			}
		}
	}
	return all, last
}
