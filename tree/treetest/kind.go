package treetest

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"relay/tree"
)

// Kind says who gets through to a host. Everybody gets through to one that is near.
type Kind uint8

const (
	// Open is a host that everybody gets through to.
	Open Kind = iota
	// Punchable is one behind a router that lets nobody in, but answers to whom it is sent:
	// it meets others by a call, if both routers play along.
	Punchable
	// Closed is one that only dials: its router gives it another port for everybody.
	Closed
)

func (k Kind) String() string {
	switch k {
	case Punchable:
		return "punchable"
	case Closed:
		return "closed"
	}
	return "open"
}

const (
	// pairMean and pairSpread are how many of the pairs of punchable hosts meet: 70 % ± 7 %
	// where it was measured in the field, over many networks (DCUtR, arXiv 2510.27500).
	pairMean, pairSpread = 0.7, 0.07
	// callTime is how long a call takes that does not get through.
	callTime = 4 * time.Second
	// carriedFor is how long a host that has sent another to a place still carries its call
	// there over a link that serves nothing else; as in relay.
	carriedFor = 5 * time.Second
)

// PairShare is the share of the pairs of punchable hosts that meet. Each run draws its own.
func (s *Sim) PairShare() float64 {
	if s.pairs == 0 {
		r := rand.New(rand.NewPCG(s.cfg.Seed, 6)) // of its own: runs without calls stay as they are
		s.pairs = min(max(pairMean+pairSpread*r.NormFloat64(), 0.01), 0.99)
	}
	return s.pairs
}

// Meet reports whether a call gets one of the two through to the other. It depends on the two
// routers only, so it is the same each time, and either way round.
func (s *Sim) Meet(a, b *Host) bool {
	switch {
	case a.Kind == Open || b.Kind == Open: // the other one dials
		return true
	case a.Kind == Closed || b.Kind == Closed:
		return false
	}
	number := func(h *Host) uint64 { return mix64(binary.BigEndian.Uint64(h.Place.ID[:])) }
	field := mix64(s.cfg.Seed ^ mix64(number(a)+number(b)))
	return float64(field>>11)/(1<<53) < s.PairShare()
}

// near reports whether both are in one home.
func (h *Host) near(k *Host) bool { return h.Home != 0 && h.Home == k.Home }

// dialled reports whether a dial from h gets to t, if only to be refused.
func (s *Sim) dialled(h, t *Host) bool {
	return !t.off && !t.frozen && (t.Kind == Open || h.near(t)) && !s.cut(h, t)
}

// cut reports whether nothing gets through between the two, in one direction at least.
func (s *Sim) cut(a, b *Host) bool {
	return s.cutUntil(a, b).After(s.now) || s.cutUntil(b, a).After(s.now)
}

// call has a dial carried by the host that named the place. That takes the way there and
// back and to the place once more, before the two connect.
func (s *Sim) call(h, t *Host, d *dialling, connects time.Duration) {
	d.giveUp = s.t + int64(callTime)
	s.Calls++
	run := h.run
	s.After(3*(s.delay(h, t)+s.delay(t, h))/2, func() {
		if h.run != run || h.dials[d.link] != d {
			return
		}
		if !s.carries(h, t, d.through) { // what is dialled besides takes its time
			s.After(dialTime, func() {
				if h.run == run && h.dials[d.link] == d {
					delete(h.dials, d.link)
					h.tell(tree.Uncalled{Link: d.link})
				}
			})
			return
		}
		if d.met = s.Meet(h, t); d.met {
			s.at(s.t+int64(connects), event{kind: evDial, host: h, run: run, dial: d})
		}
	})
	s.at(d.giveUp+1, event{kind: evDial, host: h, run: run, dial: d})
}

// carries reports whether the host with that ID carries a call from h to t at this moment: it
// runs, is linked with t, and still has h's link.
func (s *Sim) carries(h, t *Host, id tree.ID) bool {
	for v, at := range h.carriers {
		if v.Place.ID == id && s.t-at < int64(carriedFor) {
			return s.passes(h, v, t)
		}
	}
	for _, c := range h.conns {
		if v := c.ends[1]; v.Place.ID == id && c.open(1) {
			return s.passes(h, v, t)
		}
	}
	return false
}

func (s *Sim) passes(h, v, t *Host) bool {
	return v.alive && !v.frozen && t.alive && !t.frozen && !s.cut(h, v) && !s.cut(v, t) && v.linked(t)
}

// linked reports whether h has a connection with t, as far as h knows.
func (h *Host) linked(t *Host) bool {
	for _, c := range h.conns {
		if c.ends[0] == t || c.ends[1] == t {
			return true
		}
	}
	return false
}

// sentOn notes that v has sent h to others by calls, which it will carry.
func (h *Host) sentOn(v *Host, m tree.Message) {
	r, ok := m.(tree.Refer)
	if !ok || r.Called == 0 {
		return
	}
	if h.carriers == nil {
		h.carriers = make(map[*Host]int64)
	}
	h.carriers[v] = h.sim.t
}
