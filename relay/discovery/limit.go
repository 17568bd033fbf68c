package discovery

import (
	"hash/maphash"
	"net/netip"
	"time"
)

const (
	// sourceRate and sourceBurst bound the answers to one address, per second: an
	// asker sends ten queries a second, after a burst of three, and a machine may run
	// some at once.
	sourceRate  = 24
	sourceBurst = 48
	// ownFactor is how many times as much this machine itself may ask: everything that
	// it runs asks from the same addresses, and each relay looks around when it starts.
	ownFactor = 4
	// answerRate and answerBurst bound those to all: 100 kB/s. A crowd that starts
	// together is served, as each asks again.
	answerRate  = 200
	answerBurst = 400
	// buckets is how many addresses are told apart, 48 bytes each. Two that fall into
	// one bucket share its rate; nothing grows when a liar uses many. A subnet is what
	// askers have in common, so each IPv6 address counts for itself.
	buckets = 1024
)

// bucket lets some things happen a second, and a burst at once.
type bucket struct {
	left float64
	at   time.Time
}

func (b *bucket) allow(now time.Time, rate, burst float64) bool {
	if b.at.IsZero() {
		b.left = burst
	} else {
		b.left = min(burst, b.left+max(0, now.Sub(b.at).Seconds())*rate)
	}
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// limits are the bounds of one responder. The zero value is not ready: newLimits.
type limits struct {
	seed    maphash.Seed
	all     bucket
	sources [buckets]struct {
		bucket
		nonce uint64 // of the query that was answered last
		round uint8
	}
}

func newLimits() *limits { return &limits{seed: maphash.MakeSeed()} }

// allow reports whether a query is to be answered. A second copy of one, such as comes
// by broadcast after the multicast one, is not; again says that it is one. own says that
// the asker has an address of this machine.
func (l *limits) allow(now time.Time, from netip.Addr, own bool, q query) (again, ok bool) {
	s := &l.sources[maphash.Comparable(l.seed, from.Unmap().WithZone(""))%buckets]
	if !s.at.IsZero() && s.nonce == q.nonce && s.round == q.round {
		return true, false
	}
	factor := 1.0
	if own {
		factor = ownFactor
	}
	if !s.allow(now, factor*sourceRate, factor*sourceBurst) || !l.all.allow(now, answerRate, answerBurst) {
		return false, false
	}
	s.nonce, s.round = q.nonce, q.round
	return false, true
}
