package membership

import (
	"net/netip"
	"sync"
	"time"

	"relay/relay/hostnet"
)

const (
	// creditTime is how long what came from an address counts for what may go there, and
	// creditMost bounds the addresses of which that is known.
	creditTime = 10 * time.Second
	creditMost = 1024
)

// credit is what came from addresses that are no member's, in bytes, and did not go there again. Who
// sends with another's address cannot have more sent there than he sends himself. Its zero value is
// ready.
type credit struct {
	mu    sync.Mutex
	of    map[netip.Prefix]int
	since time.Time
}

// came notes bytes from an address.
func (c *credit) came(now time.Time, from netip.Addr, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil || now.Sub(c.since) >= creditTime {
		c.of, c.since = make(map[netip.Prefix]int), now
	}
	if a, _ := hostnet.Counted(from); c.of[a] > 0 || len(c.of) < creditMost {
		c.of[a] += n
	}
}

// spend reports whether so many bytes may go to an address.
func (c *credit) spend(to netip.Addr, n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, _ := hostnet.Counted(to)
	if c.of[a] < n {
		return false
	}
	c.of[a] -= n
	return true
}

// forStranger is what may go to an address that is no member's of a packet for it: an answer, without
// the news that memberlist adds. Pings go there only because somebody has asked for them.
func forStranger(b []byte) (answer []byte, ok bool) {
	for m := range parts(b) {
		return m, m[0] == msgAck || m[0] == msgNack
	}
	return nil, false
}
