package playback

import (
	"net/netip"
	"sync"

	"relay/relay/lobby"
)

const (
	// shareAddr and sharePrefix are the parts of all places that one address, or one prefix of 24
	// bits (48 with IPv6), may take, and shareOwn that which no stranger may: so nobody keeps all
	// others out. leastShare is how many an address may take anyway: a household watches.
	shareAddr, sharePrefix, shareOwn = 4, 2, 16
	leastShare                       = 8
)

// places are those for viewers. It is safe for concurrent use.
type places struct {
	most int

	mu      sync.Mutex
	closed  bool
	taken   int
	of      map[netip.Prefix]int // what strangers' addresses have, and their prefixes
	playing sync.WaitGroup       // one for each that is taken
}

// take takes a place for a viewer at an address, of its own networks or a stranger's, or says why
// there is none. Who has got one must leave.
func (p *places) take(a netip.Addr, own bool) (leave func(), why Refusal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	self, prefix := lobby.Shares(a)
	switch {
	case p.closed || p.taken >= p.most || !own && p.taken >= p.most-p.most/shareOwn:
		return nil, RefusedFull
	case own:
	case p.of[self] >= max(leastShare, p.most/shareAddr), p.of[prefix] >= max(2*leastShare, p.most/sharePrefix):
		return nil, RefusedShare
	default:
		if p.of == nil {
			p.of = make(map[netip.Prefix]int)
		}
		p.of[self]++
		p.of[prefix]++
	}
	p.taken++
	p.playing.Add(1)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.taken--
		p.playing.Done()
		if own {
			return
		}
		for _, of := range []netip.Prefix{self, prefix} {
			if p.of[of]--; p.of[of] == 0 {
				delete(p.of, of)
			}
		}
	}, ""
}

// close gives no more places.
func (p *places) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
}
