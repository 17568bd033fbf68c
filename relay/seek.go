package relay

import (
	"fmt"
	"net/netip"

	"relay/relay/wire"
)

// DHT is what a node tells others of nodes of the BitTorrent DHT, with which a look-up for a channel begins,
// and takes from them. Its zero value tells of none and asks for none. Both functions are called from several
// goroutines, and must not block.
type DHT struct {
	Tell func() []netip.AddrPort   // nil for none
	Told func(at []netip.AddrPort) // nil if nobody is asked
}

// seek asks a new parent for nodes of the DHT, once on each link. It runs on the channel's goroutine.
func (c *Channel) seek(u *uplink) {
	if c.node.cfg.DHT.Told == nil || u == nil || !u.knows6() || u.sought.Swap(true) {
		return
	}
	u.send(wire.Seek{Most: wire.MaxDHTNodes})
}

// takeSeek answers a child, once on each link. It runs on the link's reader.
func (c *Channel) takeSeek(d *downlink, f wire.Seek) error {
	if d.sought.Swap(true) {
		return fmt.Errorf("nodes of the DHT, once more: %w", wire.ErrNotDue)
	}
	var at []netip.AddrPort
	if tell := c.node.cfg.DHT.Tell; tell != nil {
		at = tell()
	}
	d.send(wire.DHTNodes{At: at[:min(len(at), int(f.Most))]})
	return nil
}

// takeDHTNodes takes what a parent has answered, once. It runs on the link's reader.
func (c *Channel) takeDHTNodes(u *uplink, f wire.DHTNodes) error {
	if !u.sought.Load() || u.answered.Swap(true) {
		return fmt.Errorf("nodes of the DHT were not asked for: %w", wire.ErrNotDue)
	}
	c.node.cfg.DHT.Told(f.At)
	return nil
}
