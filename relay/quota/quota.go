// Package quota bounds how often strangers have something done here, each address for itself.
//
// It is not package budget: when as many addresses are remembered as may be, new ones get nothing, as what
// they ask for is this machine's to give; and goroutines share it.
package quota

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/hostnet"
)

// most bounds the addresses that are remembered. While so many are at their bounds, no others are let in.
const most = 4096

// Addrs is how much one address may have done: Rate a second, Burst at once. What counts as one address is as
// [hostnet.Counted] has it. It is safe for concurrent use.
type Addrs struct {
	Rate  rate.Limit
	Burst int

	mu sync.Mutex
	of map[netip.Prefix]*rate.Limiter
}

// Allow reports whether an address may have so much more done, and counts that if so.
func (a *Addrs) Allow(now time.Time, by netip.Addr, much int) bool {
	one, _ := hostnet.Counted(by)
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.of[one]
	if l == nil {
		if len(a.of) >= most {
			a.forgetIdle(now)
		}
		if len(a.of) >= most {
			return false
		}
		l = rate.NewLimiter(a.Rate, a.Burst)
		if a.of == nil {
			a.of = make(map[netip.Prefix]*rate.Limiter)
		}
		a.of[one] = l
	}
	return l.AllowN(now, much)
}

// forgetIdle drops the addresses that have been quiet long enough to have their whole burst back.
func (a *Addrs) forgetIdle(now time.Time) {
	for one, l := range a.of {
		if l.TokensAt(now) >= float64(a.Burst) {
			delete(a.of, one)
		}
	}
}
