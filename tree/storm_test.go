package tree

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// storm hands one node whatever events an owner could hand over, with whatever other nodes
// could say, and checks that what must never be is not.
type storm struct {
	n    *Node
	rng  *rand.Rand
	now  time.Time
	last Link // of those that came in
	calm bool // most of the others behave, so that more comes of it

	open    map[Link]ID // those that stand or are dialled, and who is there
	gone    map[Link]bool
	dialled map[Link]bool
	trace   []string // nil if it is not wanted
}

const (
	stormSeeds = 40
	stormSteps = 5000
	stormNodes = 60 // others, so that the same ones meet again
)

func newStorm(seed uint64) *storm {
	rng := rand.New(rand.NewPCG(seed, 7))
	s := &storm{
		rng: rng, now: time.Unix(1000, 0), calm: seed%2 == 1,
		open: make(map[Link]ID), gone: make(map[Link]bool), dialled: make(map[Link]bool),
	}
	cfg := Config{
		Self: place(0), Slots: rng.IntN(20), Seeds: places(1, 2, 3), Since: s.now.Add(-time.Hour), Calls: seed%3 > 0,
		Rand: rand.New(rand.NewPCG(seed, 8)),
	}
	if rng.IntN(5) == 0 {
		cfg.Root, cfg.Epoch, cfg.Start = true, Epoch{Ms: 1}, s.now
	}
	s.n = New(cfg, s.now)
	return s
}

func TestANodeKeepsItsBoundsWhateverComes(t *testing.T) {
	for seed := range uint64(stormSeeds) {
		s := newStorm(seed)
		if !t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			for step := range stormSteps {
				s.step(func(format string, args ...any) {
					t.Helper()
					t.Fatalf("step %d: %s", step, fmt.Sprintf(format, args...))
				})
			}
		}) {
			return
		}
	}
}

func TestTheSameSeedAndEventsGiveTheSameActions(t *testing.T) {
	run := func(seed uint64) []string {
		s := newStorm(seed)
		s.trace = []string{}
		for range 2000 {
			s.step(t.Fatalf)
		}
		return s.trace
	}
	for seed := range uint64(5) {
		if a, b := run(seed), run(seed); !slices.Equal(a, b) {
			t.Errorf("seed %d: two runs differ", seed)
		} else if len(a) < 1000 {
			t.Errorf("seed %d: %d actions only", seed, len(a))
		}
	}
}

// step hands over an event or lets time pass, and checks what comes of it.
func (s *storm) step(fail func(string, ...any)) {
	s.now = s.now.Add(s.pause())
	tick := s.n.tickAt
	had, busy := len(s.n.children), len(s.n.children)+len(s.n.guests)
	ev := s.event()
	if ev == nil {
		s.n.Advance(s.now)
	} else {
		s.n.Handle(s.now, ev)
	}
	var as []Action
	for a, ok := s.n.Poll(); ok; a, ok = s.n.Poll() {
		as = append(as, a)
		if up, ok := ev.(Up); ok && a == (Close{up.Link, ByUs(ReasonNotNeeded)}) && s.gone[up.Link] {
			continue // it was given up in this very call
		}
		if s.trace != nil {
			s.trace = append(s.trace, fmt.Sprintf("%T%+v", a, a))
		}
		s.carryOut(a, func(format string, args ...any) {
			fail("%T%+v after %T%+v: %s", a, a, ev, ev, fmt.Sprintf(format, args...))
		})
	}
	switch ev := ev.(type) { // what was due before it may still have gone there
	case Down:
		s.end(ev.Link)
	case Uncalled:
		s.end(ev.Link)
	}
	// Each child and guest may have to be told a few things. All else is bounded.
	if most := 50 + 6*(busy+len(s.n.children)+len(s.n.guests)); len(as) > most {
		fail("%d actions after %T%+v, want %d at most", len(as), ev, ev, most)
	}
	if !s.n.Deadline().After(s.now) {
		fail("deadline %v is not after %v", s.n.Deadline(), s.now)
	}
	s.bounds(had, fail)
	if s.n.left { // another one comes
		trace := s.trace
		*s = *newStorm(s.rng.Uint64())
		s.trace = trace
		return
	}
	if asked := s.asked(); ev == nil && !s.n.tickAt.Equal(tick) && s.n.leaveBy.IsZero() && len(s.n.children)-asked > s.n.cfg.Slots {
		fail("%d children, %d slots, %d asked to move", len(s.n.children), s.n.cfg.Slots, asked)
	}
}

// asked counts the children that will go: those asked to, and those that never pulled.
func (s *storm) asked() int {
	n := 0
	for _, c := range s.n.children {
		if c.shedding() || !c.pulling {
			n++
		}
	}
	return n
}

func (s *storm) pause() time.Duration {
	k := s.rng.IntN(100)
	if s.calm && k >= 97 && s.rng.IntN(20) > 0 {
		k = 0
	}
	switch {
	case k < 40:
		return 0
	case k < 60:
		return max(0, s.n.Deadline().Sub(s.now))
	case k < 97:
		return time.Duration(s.rng.IntN(60)) * time.Millisecond
	case k < 99:
		return time.Duration(s.rng.IntN(1000)) * time.Millisecond
	}
	return time.Duration(s.rng.IntN(15_000)) * time.Millisecond
}

// carryOut notes what an owner would do, and whether it could.
func (s *storm) carryOut(a Action, fail func(string, ...any)) {
	stands := func(l Link) {
		if _, ok := s.open[l]; !ok {
			fail("link %d does not stand", l)
		}
	}
	switch a := a.(type) {
	case Dial:
		if a.Link.Inbound() || s.dialled[a.Link] {
			fail("the number is even or not new")
		}
		s.dialled[a.Link], s.open[a.Link] = true, ID{}
	case Send:
		stands(a.Link)
		s.message(a, fail)
	case Feed:
		stands(a.Link)
	case Serve:
		stands(a.Link)
	case Close:
		stands(a.Link)
		s.end(a.Link)
	case Attached:
		stands(a.Link)
	}
}

func (s *storm) end(l Link) {
	delete(s.open, l)
	s.gone[l] = true
}

// message looks at the places that another node is told of.
func (s *storm) message(a Send, fail func(string, ...any)) {
	var ps []Place
	most := MaxRefer
	switch m := a.Msg.(type) {
	case Refer:
		ps = m.Places
	case Bye:
		ps = m.Places
	case Welcome:
		ps = m.Others
		if len(m.Path) > MaxPath {
			fail("a path of %d", len(m.Path))
		}
	case Backups:
		ps, most = m.Places, MaxBackups
	}
	if len(ps) > most {
		fail("%d places", len(ps))
	}
	for _, p := range ps {
		if p.ID == s.open[a.Link] || p.ID == s.n.cfg.Self.ID || len(p.Addrs) == 0 || len(p.Addrs) > MaxAddrs {
			fail("names %v at %v", p.ID.Short(), p.Addrs)
		}
	}
}

// bounds checks the node itself.
func (s *storm) bounds(had int, fail func(string, ...any)) {
	slots := s.n.cfg.Slots
	if c := len(s.n.children); c > max(had, slots+EmergencySlots(slots)) {
		fail("%d children, %d slots", c, slots)
	}
	for name, most := range map[string][2]int{
		"attempts":  {len(s.n.search.attempts), maxDials},
		"standbys":  {len(s.n.standbys.links), maxStandbys},
		"guests":    {len(s.n.guests), maxGuests},
		"book":      {len(s.n.book.entries), maxBook},
		"lapses":    {len(s.n.lapses), maxLapses},
		"distrusts": {len(s.n.distrusts), distrusted},
		"referrals": {len(s.n.referrals), maxReferrals},
		"path":      {len(s.n.path), MaxPath},
	} {
		if most[0] > most[1] {
			fail("%d %s, want %d at most", most[0], name, most[1])
		}
	}
	if s.n.at.FD > s.n.at.H {
		fail("FD %d, H %d", s.n.at.FD, s.n.at.H)
	}
	if s.n.above(s.n.cfg.Self.ID) {
		fail("it is on its own path")
	}
	roles := make(map[Link]string)
	role := func(l Link, as string) {
		if was := roles[l]; was != "" {
			fail("link %d is %s and %s", l, was, as)
		}
		if _, ok := s.open[l]; !ok {
			fail("link %d, %s, does not stand", l, as)
		}
		roles[l] = as
	}
	if s.n.up != nil {
		role(s.n.up.link, "the parent's")
	}
	for l := range s.n.search.attempts {
		role(l, "an attempt")
	}
	for _, b := range s.n.standbys.links {
		role(b.link, "a standby")
	}
	ids := make(map[ID]bool)
	for _, c := range s.n.children {
		role(c.link, "a child's")
		if ids[c.place.ID] {
			fail("%v is a child twice", c.place.ID.Short())
		}
		ids[c.place.ID] = true
		if c.shedding() && s.now.Sub(c.shedAt) >= shedTime+heartbeatInterval {
			fail("link %d was asked to move %v ago", c.link, s.now.Sub(c.shedAt))
		}
	}
	for _, g := range s.n.guests {
		role(g.link, "a guest's")
	}
}

// event is something that an owner could hand over now, nil for nothing.
func (s *storm) event() Event {
	if s.calm && s.rng.IntN(5) > 0 {
		return s.civil()
	}
	switch k := s.rng.IntN(1000); {
	case k < 100:
		return nil
	case k < 250:
		return s.joins()
	case k < 350:
		if l, ok := s.link(func(l Link, id ID) bool { return !l.Inbound() && id.IsZero() }); ok {
			p := s.place()
			switch s.rng.IntN(4) {
			case 0, 1:
				return Down{l, s.ends()}
			case 2:
				return Uncalled{l}
			}
			s.open[l] = p.ID
			return Up{l, p.ID, addr(s.rng.IntN(stormNodes)), s.rng.IntN(4) == 0, false}
		}
	case k < 900:
		// Any node may say anything over its link, even after that has ended.
		if s.rng.IntN(50) == 0 {
			if l := Link(s.rng.IntN(int(s.last) + 10)); s.gone[l] || !s.dialled[l] {
				return Received{l, s.says()}
			}
		}
		if l, ok := s.link(func(_ Link, id ID) bool { return !id.IsZero() }); ok {
			if s.rng.IntN(8) == 0 {
				if s.rng.IntN(4) == 0 {
					return Delivered{l}
				}
				return Heard{Link: l}
			}
			return Received{l, s.says()}
		}
	case k < 950:
		if l, ok := s.link(func(Link, ID) bool { return true }); ok {
			return Down{l, s.ends()}
		}
	case k < 975:
		var c Candidates
		for range s.rng.IntN(30) {
			c.Of = append(c.Of, Candidate{s.place(), s.rng.IntN(12) - 1, s.rng.IntN(3), s.rng.IntN(9)})
		}
		return c
	case k < 985:
		return Capacity{s.rng.IntN(20) - 1, s.rng.IntN(20) - 1}
	case k < 999:
		return Progress{s.rng.Uint64(), time.Duration(s.rng.IntN(4000)-100) * time.Millisecond, s.rng.IntN(20) == 0, s.rng.IntN(2) == 0, time.Duration(s.rng.IntN(1000)) * time.Millisecond}
	case s.rng.IntN(20) == 0:
		return Leave{}
	}
	return nil
}

// civil is what an honest node at one of the links would say, the parent first.
func (s *storm) civil() Event {
	beat := Heartbeat{Label: s.near(), Best: s.room(), Room: s.room()}
	if u := s.n.up; u != nil && s.now.Sub(u.heard) >= heartbeatInterval && s.rng.IntN(50) > 0 {
		return Received{u.link, beat}
	}
	l, ok := s.link(func(Link, ID) bool { return true })
	if !ok {
		return nil
	}
	c := s.n.children.find(l)
	switch id := s.open[l]; {
	case c != nil && !c.pulling:
		return Received{l, Pull{}}
	case l.Inbound():
		return Received{l, Report{Sent: 1, Slots: uint16(s.rng.IntN(9)), Children: uint16(s.rng.IntN(9)), Room: s.room(), Called: s.called(), Callable: s.rng.IntN(2) == 0}}
	case id.IsZero():
		p := s.place()
		s.open[l] = p.ID
		return Up{l, p.ID, addr(s.rng.IntN(stormNodes)), false, s.rng.IntN(4) == 0}
	case s.n.search.attempts[l] != nil || s.n.standbys.find(l) != nil && !s.n.standbys.find(l).ready:
		return Received{l, Welcome{Label: s.near(), Path: []Place{s.place(), {ID: id}}}}
	}
	return Received{l, beat}
}

// near is an honest label.
func (s *storm) near() Label {
	e := uint64(s.now.Sub(time.Unix(1000, 0)) / LabelStep)
	return Label{Epoch{Ms: 1}, e - min(e, uint64(s.rng.IntN(3))), uint16(s.rng.IntN(12))}
}

// link is one of those that stand; in order, so that a seed is enough to say which.
func (s *storm) link(like func(Link, ID) bool) (Link, bool) {
	var ls []Link
	for l, id := range s.open {
		if like(l, id) {
			ls = append(ls, l)
		}
	}
	if len(ls) == 0 {
		return 0, false
	}
	slices.Sort(ls)
	return ls[s.rng.IntN(len(ls))], true
}

func (s *storm) joins() Event {
	p := s.place()
	s.last += 2
	s.open[s.last] = p.ID
	return Joined{s.last, p.ID, s.addr(), s.rng.IntN(4) == 0, s.rng.IntN(2) == 0, false, Join{
		Addrs: p.Addrs, Slots: uint16(s.rng.Uint32N(1 << s.rng.IntN(17))), Age: s.rng.Uint32() >> s.rng.IntN(32),
		Within: uint8(max(0, s.rng.IntN(300)-44)), Standby: s.rng.IntN(3) == 0,
	}}
}

func (s *storm) marks() Marks { return Marks(s.rng.Uint32N(256)) }

func (s *storm) called() CalledRoom { return CalledRoom{s.rng.IntN(2) == 0, s.room()} }

func (s *storm) says() Message {
	switch s.rng.IntN(12) {
	case 0, 1:
		return Welcome{s.label(), s.lag(), s.path(), s.places(), s.addr()}
	case 2:
		return Refer{s.reason(), s.places(), s.marks()}
	case 3, 4:
		return Pull{}
	case 5, 6, 7:
		return Heartbeat{
			s.label(), s.rng.IntN(9) == 0, s.number(), s.number(), s.number(), s.lag(), s.room(), s.room(), s.called(), s.called(),
		}
	case 8:
		return Path{s.path()}
	case 9:
		return Report{
			s.number(), uint16(s.number()), uint16(s.number()), uint16(s.number()), uint32(s.number()), s.room(), s.number(), s.called(), s.rng.IntN(2) == 0, s.openings(),
		}
	case 10:
		return Backups{s.places(), s.marks()}
	}
	if s.rng.IntN(3) > 0 {
		return Join{}
	}
	return Bye{s.reason(), s.places(), s.marks()}
}

func (s *storm) openings() (of []Opening) {
	for _, p := range s.places() {
		of = append(of, Opening{p, uint8(s.number()), uint8(s.number())})
	}
	return of
}

// label is one that fits most of the time.
func (s *storm) label() Label {
	l := s.near()
	switch s.rng.IntN(20) {
	case 0:
		return Label{Epoch{s.number(), s.number()}, s.number(), uint16(s.number())}
	case 1:
		return Label{Epoch{Ms: uint64(s.rng.IntN(3))}, l.E, uint16(s.rng.IntN(70))}
	}
	return l
}

func (s *storm) path() []Place {
	n := s.rng.IntN(6)
	if s.rng.IntN(20) == 0 {
		n = s.rng.IntN(2 * MaxPath)
	}
	path := make([]Place, 0, n+1)
	for range n {
		path = append(path, s.place())
	}
	// A path has to end at the node that tells it, which may be any that has a link.
	if l, ok := s.link(func(_ Link, id ID) bool { return !id.IsZero() }); ok {
		path = append(path, Place{ID: s.open[l]})
	}
	return path
}

func (s *storm) place() Place {
	p := place(s.rng.IntN(stormNodes))
	switch s.rng.IntN(30) {
	case 0:
		p.Addrs = nil
	case 1:
		p.Addrs = []netip.AddrPort{{}, s.addr(), s.addr()}
	case 2:
		p.Addrs = place(s.rng.IntN(stormNodes)).Addrs
	}
	if p.ID == s.n.cfg.Self.ID && s.rng.IntN(2) == 0 {
		p = place(1000 + s.rng.IntN(10_000)) // many, for the bounds of what is remembered
	}
	return p
}

func (s *storm) places() []Place {
	ps := make([]Place, 0, 20)
	for range s.rng.IntN(20) {
		p := s.place()
		if s.rng.IntN(10) == 0 {
			p.ID = ID{}
		}
		ps = append(ps, p)
	}
	return ps
}

func (s *storm) addr() netip.AddrPort {
	switch s.rng.IntN(10) {
	case 0:
		return netip.AddrPort{}
	case 1:
		return netip.MustParseAddrPort("127.0.0.1:7144")
	case 2:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, byte(s.rng.IntN(3)), 15: byte(s.rng.IntN(9))}), 7144)
	}
	return addr(s.rng.IntN(stormNodes))
}

func (s *storm) room() Room {
	var r Room
	for i := range r {
		r[i] = []uint8{0, 1, uint8(s.rng.IntN(12)), NoRoom - 1, NoRoom}[s.rng.IntN(5)]
	}
	return r
}

func (s *storm) reason() Reason { return Reason(s.rng.IntN(int(reasonEnd) + 2)) }
func (s *storm) ends() End      { return End{s.reason(), Side(s.rng.IntN(3))} }
func (s *storm) number() uint64 { return s.rng.Uint64() >> s.rng.IntN(64) }
func (s *storm) lag() uint32    { return uint32(s.rng.Uint64() >> (32 + s.rng.IntN(32))) }
