package relay

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"go.uber.org/zap"

	"relay/tree"
)

// A node whose address is another calls its children from there, for so long at most and with such
// pauses.
const (
	comeBackTime  = 15 * time.Second
	comeBackPause = 250 * time.Millisecond // it doubles,
	comeBackMost  = 2 * time.Second        // up to this
)

// errAddrGone is the cause of the end of a link whose own address this machine has lost.
var errAddrGone = errors.New("this machine no longer has the link's address")

// Relocate tells the node that the machine's network has changed. addrs is where others can
// reach the listener from now on, as Config.Addrs; gossip, the next parent and, from the
// source, the children are told. Links from or to the addresses in gone end at once, so that
// those that are ready on other addresses take over; no packet would tell that they are
// dead. Places that could not be reached are tried again.
func (n *Node) Relocate(addrs []netip.AddrPort, gone []netip.Addr) { n.readdress(addrs, gone, true) }

// Readdress tells the node that others can reach the listener elsewhere, in the same network
// as before: what it has begun there goes on, and what is known of the router holds. What was found
// out about an address that is none any more is forgotten.
func (n *Node) Readdress(addrs []netip.AddrPort) { n.readdress(addrs, nil, false) }

func (n *Node) readdress(addrs []netip.AddrPort, gone []netip.Addr, moved bool) {
	addrs = slices.Clone(addrs[:min(len(addrs), tree.MaxAddrs)])
	n.mu.Lock()
	n.addrs = addrs
	n.mu.Unlock()
	n.log.Debug("others reach this machine elsewhere", zap.Bool("in another network", moved), zap.Stringers("reached at", addrs), zap.Stringers("gone", gone))
	if moved {
		n.outside.moved()
		n.hearsay.moved()
	}
	for _, c := range n.Channels() {
		c.peers.readdress(addrs, gone, moved)
		select {
		case c.relocated <- struct{}{}:
		default: // it has not looked yet
		}
	}
}

// relocate does what follows from the newest Relocate or Readdress.
func (c *Channel) relocate() {
	addrs, gone, moved := c.peers.takeReaddressed()
	for f := range families {
		if c.peers.triedOver(f).At.IsZero() {
			c.peers.askAt[f] = time.Time{}
		}
	}
	for _, u := range c.up {
		u.dropFrom(gone)
	}
	for _, ch := range c.tree.Info().Children {
		if d := c.down[ch.Link]; d != nil && d.dropFrom(gone) && len(ch.Place.Addrs) > 0 {
			c.wg.Go(func() { c.comeBack(ch.Place) })
		}
	}
	for _, d := range c.down { // and those of no children
		d.dropFrom(gone)
	}
	c.handle(tree.Readdressed{Addrs: addrs, Stayed: !moved})
}

// dropFrom ends the link if its own address is one of these, and reports whether it has.
func (l *link) dropFrom(gone []netip.Addr) bool {
	own := addrPort(l.conn.NetConn().LocalAddr()).Addr().WithZone("")
	if !slices.Contains(gone, own) {
		return false
	}
	l.cancel(errAddrGone)
	return true
}

// comeBack offers a child to be its parent again from another address: the child cannot know that
// one. It goes on until the child has taken the offer or says for the third time that it has no need
// (before, it may not have noticed yet), for comeBackTime at most, since a new address may
// take a while to come.
func (c *Channel) comeBack(child tree.Place) {
	ctx, cancel := c.within(comeBackTime)
	defer cancel()
	refused := 0
	for pause := comeBackPause; ctx.Err() == nil; pause = min(2*pause, comeBackMost) {
		taken, err := c.offerTo(ctx, child, Token{})
		if errors.Is(err, tree.ReasonNotNeeded) {
			refused++
		}
		if taken || refused > 2 || errors.Is(err, tree.ReasonChannel) || errors.Is(err, errNoHelper) {
			return
		}
		c.log.Debug("child does not come back", zap.String("peer", child.ID.Short()), zap.Error(err))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}
