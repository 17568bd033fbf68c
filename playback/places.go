package playback

import (
	"net/netip"
	"sync"

	"relay/relay/hostnet"
	"relay/relay/refusal"
)

const (
	// shareAddr and sharePrefix are the parts of all places that one address, or one prefix, may
	// take, as [hostnet.Counted] has them, and shareOwn that which no stranger may: so nobody keeps
	// all others out. leastShare is how many an address may take anyway: a household watches.
	shareAddr, sharePrefix, shareOwn = 4, 2, 16
	leastShare                       = 8
)

// places are those for viewers. It is safe for concurrent use.
type places struct {
	most int

	mu      sync.Mutex
	closed  bool
	taken   int
	of      hostnet.Shares // what strangers have
	playing sync.WaitGroup // one for each that is taken
}

// take takes a place for a viewer at an address, of its own networks or a stranger's, or says why
// there is none. Who has got one must leave.
func (p *places) take(a netip.Addr, own bool) (leave func(), why refusal.Reason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one, all := p.of.Of(a)
	switch {
	case p.closed || p.taken >= p.most || !own && p.taken >= p.most-p.most/shareOwn:
		return nil, RefusedFull
	case own:
	case one >= max(leastShare, p.most/shareAddr), all >= max(2*leastShare, p.most/sharePrefix):
		return nil, RefusedShare
	default:
		p.of.Add(a, 1)
	}
	p.taken++
	p.playing.Add(1)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.taken--
		p.playing.Done()
		if !own {
			p.of.Add(a, -1)
		}
	}, ""
}

// close gives no more places.
func (p *places) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
}
