package srt

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// tries and triesBurst bound how many passphrases are looked at, as each costs about a millisecond of a
	// core: 5 % of one.
	tries, triesBurst = rate.Limit(50), 50
	// wrongPause is for how long an address from which a wrong passphrase came is not answered. A
	// caller asks every 250 ms for 3 s.
	wrongPause = time.Second
	// maxWrong is how many such addresses are remembered.
	maxWrong = 256
)

// turnstile bounds what looking at passphrases costs. It is safe for concurrent use.
type turnstile struct {
	own   func(netip.Addr) bool
	limit *rate.Limiter
	near  *rate.Limiter // for this machine's own networks

	mu    sync.Mutex
	wrong map[netip.Addr]time.Time // until when
}

func newTurnstile(own func(netip.Addr) bool) *turnstile {
	if own == nil {
		own = netip.Addr.IsLoopback
	}
	return &turnstile{own: own, limit: rate.NewLimiter(tries, triesBurst), near: rate.NewLimiter(tries, triesBurst), wrong: make(map[netip.Addr]time.Time)}
}

// allow reports whether a passphrase from an address is looked at now.
func (t *turnstile) allow(a netip.Addr, now time.Time) bool {
	limit := t.limit
	if t.isOwn(a) {
		limit = t.near
	}
	t.mu.Lock()
	until, ok := t.wrong[group(a)]
	t.mu.Unlock()
	return (!ok || !now.Before(until)) && limit.AllowN(now, 1)
}

func (t *turnstile) isOwn(a netip.Addr) bool { return a.IsLoopback() || t.own(a) }

// failed notes that one was wrong.
func (t *turnstile) failed(a netip.Addr, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.wrong) >= maxWrong {
		for of, until := range t.wrong {
			if !now.Before(until) {
				delete(t.wrong, of)
			}
		}
	}
	if len(t.wrong) < maxWrong {
		t.wrong[group(a)] = now.Add(wrongPause)
	}
}

// group is whose address it is: of IPv6 a whole network is one customer's.
func group(a netip.Addr) netip.Addr {
	if a = a.Unmap(); a.Is4() {
		return a
	}
	p, _ := a.WithZone("").Prefix(64) // fails for no address
	return p.Addr()
}
