package relay

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"relay/relay/refusal"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// A link may ask this node to meet others so often.
	meetRate  = rate.Limit(0.5) // a second
	meetBurst = 8
	// meetingsMost bounds the meetings of a channel that are under way.
	meetingsMost = 8
	// A child may have others called so often.
	callRate  = rate.Limit(2) // a second
	callBurst = 16
	// reservedPorts are the first ports, which routers do not give: who is sent there is to
	// bother somebody.
	reservedPorts = 1024
)

// meetings are those that this node was asked for, one at a time with each caller.
type meetings struct {
	mu  sync.Mutex
	ids map[tree.ID]bool
}

func (m *meetings) begin(id tree.ID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ids[id] || len(m.ids) >= meetingsMost {
		return false
	}
	if m.ids == nil {
		m.ids = make(map[tree.ID]bool)
	}
	m.ids[id] = true
	return true
}

func (m *meetings) end(id tree.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.ids, id)
}

// carry passes a child's call on to a node that this one is linked with.
func (c *Channel) carry(d *downlink, f wire.Call) {
	told, why := false, callTooOften
	if d.calling.Allow() {
		why = callUnlinked
		c.query(func(*tree.Node) {
			t := c.linkTo(f.Target)
			if t == nil || t.near != d.near || !t.knows2() {
				return
			}
			caller, callee := remoteAddr(d.conn.NetConn()), remoteAddr(t.conn.NetConn())
			m := wire.Meet{Caller: d.peer, Addr: caller, Listen: d.listens}
			if familyOf(caller.Addr()) != familyOf(callee.Addr()) { // they can only meet where the caller listens
				m.Addr, m.Listen = netip.AddrPort{}, d.proof.of(callee)
			}
			if !wire.Dialable(callee) || !m.Addr.IsValid() && !m.Listen.IsValid() {
				return
			}
			t.send(m)
			t.asked++
			told = true
		})
	}
	if !told {
		c.refused.Add(why)
		d.send(wire.Called{Target: f.Target})
	}
}

// ready tells a caller that the node which it has called is ready, and where that is seen.
func (c *Channel) ready(l *link, f wire.Ready) {
	c.query(func(*tree.Node) {
		if l.asked == 0 {
			c.refused.Add(callUnasked)
			return
		}
		l.asked--
		answer := wire.Called{Target: l.peer}
		if f.Is {
			answer.Addr = remoteAddr(l.conn.NetConn())
		}
		for _, d := range c.down {
			if d.peer == f.Caller && d.knows2() && d.ctx.Err() == nil {
				d.send(answer)
				return
			}
		}
	})
}

// calls reports whether this node makes calls and answers them.
func (n *Node) calls() bool { return n.knock != nil && n.outside.can() }

// AnswersCalls reports whether nodes that cannot dial this one may get through to it by a call, as far
// as is known.
func (n *Node) AnswersCalls() bool { return n.calls() }

// linkTo is a link to a node that takes the stream here, or keeps a link ready, or to which this
// one does.
func (c *Channel) linkTo(id tree.ID) *link {
	for _, d := range c.down {
		if d.peer == id && !d.lingers && d.ctx.Err() == nil {
			return &d.link
		}
	}
	for _, u := range c.up {
		if u.peer == id && !u.lingers && u.overlap.until.IsZero() && u.ctx.Err() == nil {
			return &u.link
		}
	}
	return nil
}

// isLinked reports whether there is a link to a node, or the channel has ended.
func (c *Channel) isLinked(id tree.ID) (is bool) {
	return !c.query(func(*tree.Node) { is = c.linkTo(id) != nil }) || is
}

// meet does what a link's other side asks for: it meets a caller, who becomes a child if the tree
// says so. It does not wait. Whoever asks may lie about the address, so that what goes there is
// bounded.
func (c *Channel) meet(l *link, f wire.Meet) {
	if why, refused := c.refuses(l, f); refused {
		c.refused.Add(why)
		l.send(wire.Ready{Caller: f.Caller})
		return
	}
	from := localAddr(l.conn.NetConn())
	c.wg.Go(func() { // ends with meetTime, or with the channel
		defer c.meetings.end(f.Caller)
		ctx, cancel := c.within(meetTime + handshakeTime)
		defer cancel()
		var both sync.WaitGroup
		var met, offered error
		ready := func() { l.send(wire.Ready{Caller: f.Caller, Is: true}) }
		if met = errMissed; f.Addr.IsValid() {
			both.Go(func() {
				if met = c.meetCaller(ctx, from, f, ready); met == nil {
					cancel()
				}
			})
		} else {
			ready()
		}
		if offered = errMissed; f.Listen.IsValid() {
			both.Go(func() {
				// A caller that listens and is reached needs no meeting.
				taken, err := c.offerTo(ctx, tree.Place{ID: f.Caller, Addrs: []netip.AddrPort{f.Listen}}, Token{})
				if offered = err; taken {
					cancel()
				}
			})
		}
		both.Wait()
		c.log.Debug("a caller was met", zap.String("peer", f.Caller.Short()), zap.Stringer("at", f.Addr), zap.NamedError("there", met), zap.NamedError("where it listens", offered))
		// What was reached by dialling, from either side, says nothing of calls.
		if f.Addr.IsValid() && offered != nil && (met == nil || !c.isLinked(f.Caller)) {
			c.node.outside.met(f.Caller, l.peer, familyOf(f.Addr.Addr()), met == nil)
		}
	})
}

// refuses says why a meeting is not taken part in. If it is, that has begun.
func (c *Channel) refuses(l *link, f wire.Meet) (refusal.Reason, bool) {
	via := remoteAddr(l.conn.NetConn()).Addr()
	switch {
	case !c.node.mayMeet(f.Addr, via), !c.node.mayMeet(f.Listen, via):
		return callAddress, true
	case f.Caller == c.node.ident.id, !c.node.calls():
		return callUnable, true
	case !l.meets.Allow():
		return callTooOften, true
	case !c.meetings.begin(f.Caller):
		return callBusy, true
	}
	return "", false
}

// mayMeet reports whether an address, if there is one, may be one of a stranger's.
func (n *Node) mayMeet(a netip.AddrPort, via netip.Addr) bool {
	switch {
	case !a.IsValid():
		return true
	case a.Addr().IsLoopback():
		return a.Port() >= reservedPorts && via.IsLoopback()
	}
	return a.Port() >= reservedPorts && n.mayTell(a.Addr())
}

// meetCaller meets a caller at the address at which it is seen, if it is not dialled before.
func (c *Channel) meetCaller(ctx context.Context, from netip.AddrPort, f wire.Meet, ready func()) error {
	conn, err := c.node.meet(ctx, from, f.Addr, ready)
	if err != nil {
		return err
	}
	if err := c.acceptMet(ctx, conn, f.Caller); err != nil {
		return errors.Join(err, conn.Close())
	}
	return nil
}

// saw takes what a parent says of where it sees a connection of this node's. What a near one sees
// is no router's address.
func (c *Channel) saw(l *link, seen netip.AddrPort) {
	if !l.near {
		c.node.outside.saw(sighting{l.peer, localAddr(l.conn.NetConn()), seen})
	}
}

// closeLink closes a link, later if a node was sent to others on it that it has to call.
func (c *Channel) closeLink(l *link, e tree.End) {
	if !l.carries || l.lingers || c.lingering >= carriedMost {
		l.close(e)
		return
	}
	l.lingers = true
	c.lingering++
	after := carriedFor
	if !l.num.Inbound() {
		after -= time.Second
	}
	time.AfterFunc(after, func() { l.close(e) })
}
