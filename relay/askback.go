package relay

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"relay/relay/wire"
	"relay/tree"
)

const (
	// dialBackAsks is how many nodes are asked to dial back, over each of IPv4 and IPv6.
	dialBackAsks = 2
	// dialBackFresh is how long what they said is told again: each of them tries an address
	// once a minute, as a rule.
	dialBackFresh = 30 * time.Second
)

// DialBack is what one node has found out about whether it gets through to this one.
type DialBack struct {
	At   netip.AddrPort // the node that was asked
	Near bool           // it is in a network of this machine's: it says nothing of the Internet
	wire.Dialled
	Err error // why it has not tried; nil if it has
}

// dialBacks keeps what the others said last, for who has the turn.
type dialBacks struct {
	turn  chan struct{} // holds one while somebody has it
	until time.Time
	last  []DialBack
}

// await waits for the turn, and returns what gives it back.
func (d *dialBacks) await(ctx context.Context) (done func(), err error) {
	select {
	case d.turn <- struct{}{}:
		return func() { <-d.turn }, nil
	case <-ctx.Done():
		return nil, errStillAsked(ctx)
	}
}

func errStillAsked(ctx context.Context) error {
	return fmt.Errorf("others are still being asked: %w", ctx.Err())
}

// ErrNoListener means that a node takes no links, so that nobody can dial it.
var ErrNoListener = errors.New("it takes no links")

// DialBacks asks nodes of the channel to dial this one, and returns what each found out, no older
// than half a minute. There is none if no other node is known at an address.
func (c *Channel) DialBacks(ctx context.Context) ([]DialBack, error) {
	if c.node.cfg.Listener == nil {
		return nil, ErrNoListener
	}
	port := addrPort(c.node.cfg.Listener.Addr()).Port()
	var info tree.Info
	if !c.query(func(n *tree.Node) { info = n.Info() }) {
		return nil, ErrEnded
	}
	done, err := c.dialBacks.await(ctx) // who comes meanwhile is told the same
	if err != nil {
		return nil, err
	}
	if time.Now().Before(c.dialBacks.until) {
		defer done()
		return c.dialBacks.last, nil
	}
	told := make(chan []DialBack, 1)
	go func() { // ends with asking; who does not wait for it must not have them asked again and again
		defer done()
		asking, cancel := c.within(dialBackWait)
		defer cancel()
		asked := c.node.AskDialBacks(asking, c.Invite(nil), c.toDialBack(info), port)
		c.peers.dialledBackAll(asked)
		c.dialBacks.last, c.dialBacks.until = asked, time.Now().Add(dialBackFresh)
		told <- asked
	}()
	select {
	case asked := <-told:
		return asked, nil
	case <-ctx.Done():
		return nil, errStillAsked(ctx)
	}
}

// dialledBackAll takes what several have found out: whether one has got through counts, over each family.
func (p *peers) dialledBackAll(asked []DialBack) {
	for _, through := range []bool{false, true} { // what is taken last holds
		for _, d := range asked {
			if d.Err == nil && !d.Near && (d.TCP == wire.Answered) == through {
				p.dialledBack(familyOf(d.At.Addr()), d.Dialled)
			}
		}
	}
}

// toDialBack is where other nodes of the channel are: those on the way to the root, the children,
// and others that are known.
func (c *Channel) toDialBack(info tree.Info) []netip.AddrPort {
	ps := slices.Clone(info.Path)
	for _, ch := range info.Children {
		ps = append(ps, ch.Place)
	}
	for _, k := range c.peers.known(tree.ID{}) {
		ps = append(ps, k.Place)
	}
	var addrs []netip.AddrPort
	for _, p := range ps {
		for _, a := range p.Addrs {
			if !slices.Contains(addrs, a) && (c.node.hearsay.isGiven(a) || c.node.mayTell(a.Addr())) {
				addrs = append(addrs, a)
			}
		}
	}
	return addrs
}

// AskDialBacks asks nodes of the invite's channel at some of these addresses, over both IPv4 and IPv6 and first at those that are
// far, and returns what came of it.
func (n *Node) AskDialBacks(ctx context.Context, inv Invite, addrs []netip.AddrPort, port uint16) []DialBack {
	pass := passOf(inv.Channel, inv.Access)
	var chosen []DialBack
	for f := range families {
		for _, near := range []bool{false, true} {
			left := dialBackAsks - countFamily(chosen, f)
			for _, a := range addrs {
				if left > 0 && familyOf(a.Addr()) == f && n.Near(a.Addr()) == near && !slices.Contains(n.Addrs(), a) {
					chosen = append(chosen, DialBack{At: a, Near: near})
					left--
				}
			}
		}
	}
	var all sync.WaitGroup
	for i := range chosen {
		all.Go(func() { // ends within dialBackWait
			d := &chosen[i]
			d.Dialled, d.Err = n.askDialBack(ctx, inv.Channel, pass, d.At, n.portOutside(d.At.Addr(), port))
		})
	}
	all.Wait()
	return slices.DeleteFunc(chosen, func(d DialBack) bool { return errors.Is(d.Err, tree.ReasonSelf) })
}

// portOutside is the port at which others out there reach this node, for those of an address's
// kind: a router may have given it another than the listener's.
func (n *Node) portOutside(kind netip.Addr, port uint16) uint16 {
	if n.Near(kind) {
		return port
	}
	for _, a := range n.Addrs() {
		if familyOf(a.Addr()) == familyOf(kind) && worldwide(a) {
			return a.Port()
		}
	}
	return port
}

func countFamily(ds []DialBack, f family) (n int) {
	for _, d := range ds {
		if familyOf(d.At.Addr()) == f {
			n++
		}
	}
	return n
}
