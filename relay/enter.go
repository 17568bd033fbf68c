package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"go.uber.org/zap"

	"relay/relay/wire"
	"relay/tree"
)

// dialPlace dials in a goroutine of its own, which ends with the dial.
func (c *Channel) dialPlace(a tree.Dial) {
	ctx, cancel := context.WithCancel(context.Background())
	c.dials[a.Link] = cancel
	c.wg.Go(func() {
		defer cancel()
		d, err := c.node.dial(ctx, a.Place)
		if err != nil {
			if ctx.Err() == nil {
				c.log.Debug("dial failed", zap.Error(err))
				c.notices(DialFailed{a.Place, err})
			}
			end := tree.Lost(tree.ReasonUnreachable)
			if errors.Is(err, errWrongNode) {
				end = tree.ByUs(tree.ReasonWrongNode)
			}
			c.tell(tree.Down{Link: a.Link, End: end})
			return
		}
		c.enter(d, a.Link)
	})
}

// enter makes a dialled connection a link. The tree must not hear of it before it
// is in c.links, so both happen on the driving goroutine.
func (c *Channel) enter(d dialed, num tree.Link) {
	l := c.newLink(num, d.peer, d.conn)
	l.near = c.node.near(time.Now(), d.addr.Addr())
	ok := c.query(func(*tree.Node) {
		delete(c.dials, num)
		c.links[num] = l
		l.start(d.guard, wire.NewReader(d.conn, wire.Parent))
		c.handle(tree.Up{Link: num, Peer: d.peer, Addr: d.addr, Near: l.near})
	})
	if !ok {
		d.conn.Close()
	}
}

// accept makes a stranger who said Hello a link. It reports false if the channel
// has ended.
func (c *Channel) accept(g *guardedConn, conn *tls.Conn, r *wire.Reader, peer tree.ID, j tree.Join) bool {
	num := tree.Link(c.inbound.Add(2))
	l := c.newLink(num, peer, conn)
	addr := remoteAddr(conn.NetConn())
	l.near = c.node.near(time.Now(), addr.Addr())
	l.needy = !j.Standby && j.Within == 0
	return c.query(func(*tree.Node) {
		// The connection has no deadline but its writer's from here on.
		if err := conn.SetDeadline(time.Time{}); err != nil {
			return
		}
		r.Expect(wire.Child)
		c.links[num] = l
		l.start(g, r)
		c.handle(tree.Joined{Link: num, Peer: peer, Addr: addr, Near: l.near, Join: j})
	})
}
