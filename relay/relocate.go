package relay

import (
	"errors"
	"net/netip"
	"slices"

	"go.uber.org/zap"

	"relay/tree"
)

// errAddrGone is the cause of the end of a link whose own address this machine has lost.
var errAddrGone = errors.New("this machine no longer has the link's address")

// Relocate tells the node that the machine's network has changed. addrs is where others can
// reach the listener from now on, as Config.Addrs; gossip, the next parent and, from the
// source, the children are told. Links from or to the addresses in gone end at once, so that
// those that are ready on other addresses take over; no packet would tell that they are
// dead. Places that could not be reached are tried again.
func (n *Node) Relocate(addrs []netip.AddrPort, gone []netip.Addr) {
	addrs = slices.Clone(addrs[:min(len(addrs), tree.MaxAddrs)])
	n.mu.Lock()
	n.addrs = addrs
	n.mu.Unlock()
	n.log.Debug("the machine's network has changed", zap.Stringers("reached at", addrs), zap.Stringers("gone", gone))
	for _, c := range n.Channels() {
		c.peers.readdress(addrs, gone)
		select {
		case c.relocated <- struct{}{}:
		default: // it has not looked yet
		}
	}
}

// relocate does what follows from the newest Relocate.
func (c *Channel) relocate() {
	addrs, gone := c.peers.takeReaddressed()
	for _, u := range c.up {
		u.dropFrom(gone)
	}
	for _, d := range c.down {
		d.dropFrom(gone)
	}
	c.handle(tree.Readdressed{Addrs: addrs})
}

// dropFrom ends the link if its own address is one of these.
func (l *link) dropFrom(gone []netip.Addr) {
	own := addrPort(l.conn.NetConn().LocalAddr()).Addr().WithZone("")
	if slices.Contains(gone, own) {
		l.cancel(errAddrGone)
	}
}
