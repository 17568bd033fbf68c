package treetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"relay/tree"
)

// Vice is a way of being a bad neighbour.
type Vice string

// The hosts of all vices but the last take a slot as honest nodes do, in place of a weaker
// child if need be. They say that they have twenty slots to give, and so does gossip.
const (
	Refuses  Vice = "refuses"  // has no slot for anyone, whatever it says
	Itself   Vice = "itself"   // refers to itself
	Ring     Vice = "ring"     // refers to the others of its kind
	Mute     Vice = "mute"     // welcomes, and says no more
	Hollow   Vice = "hollow"   // welcomes and is punctual, and has no chunks
	Timeless Vice = "timeless" // as hollow, and does not tell the root's clock
	Shallow  Vice = "shallow"  // says that it is the root's child, and has no chunks
	Knot     Vice = "knot"     // says that it is the root's child, and forwards what it gets
	Replays  Vice = "replays"  // repeats the label of its first welcome for ever
	Ahead    Vice = "ahead"    // has a label that the root has not given yet
	Forges   Vice = "forges"   // forwards chunks that the root has not made
	Starves  Vice = "starves"  // forwards chunks for a while, and then no more
	Delays   Vice = "delays"   // forwards chunks for a while, and then ten seconds late
	Shifts   Vice = "shifts"   // does so, and tells a clock of the root that is as late
	Floods   Vice = "floods"   // asks the root for slot after slot, and takes none
)

// Vices are all vices.
var Vices = []Vice{Refuses, Itself, Ring, Mute, Hollow, Timeless, Shallow, Knot, Replays, Ahead, Forges, Starves, Delays, Shifts, Floods}

const (
	boast       = 20 // slots that a liar says it has
	fakeBeat    = 50 * time.Millisecond
	floodPause  = 20 * time.Millisecond
	comeAgain   = 2 * time.Second // until a liar that was dropped asks again
	slanderous  = tree.ReasonFull // the reason it gives when it turns somebody away
	tooLong     = 15 * time.Second
	aheadBy     = 45              // steps, just within what relay lets through
	firstInLine = 1               // the depth that it claims
	harmAfter   = 5 * time.Second // until one that forwards for a while does its harm
	delayedBy   = 10 * time.Second
)

// liar is a host with a vice.
type liar struct {
	h    *Host
	vice Vice
	band *Siege
	next tree.Link // the link of its newest dial
	up   tree.Link // to its parent, 0 for none
	path []tree.Place
	old  tree.Label // of the first welcome it gave
	sent uint64

	asked map[tree.Link]reported
}

// reported is the newest report of a child of the liar.
type reported struct {
	Sent uint64
	at   int64
}

// duped counts what liars cost a host.
type duped struct {
	asked  int           // dials to a liar
	fooled map[*Host]int // moves below each
	below  int64         // since when it is below one, 0 if it is not
}

func (h *Host) fell(p *Host) {
	if h.fooled == nil {
		h.fooled = make(map[*Host]int)
	}
	h.fooled[p]++
	h.below = h.sim.t
}

// escaped notes that h is no longer below a liar.
func (h *Host) escaped() {
	if h.below != 0 {
		h.sim.below = append(h.sim.below, time.Duration(h.sim.t-h.below))
		h.below = 0
	}
}

// forwards reports whether hosts with the vice take and serve chunks, if in their own way.
func (v Vice) forwards() bool {
	return v == Knot || v == Forges || v == Starves || v == Delays || v == Shifts
}

// spoil sends a chunk as a liar does.
func (l *liar) spoil(c *conn, n Chunk) {
	h, s := l.h, l.h.sim
	switch l.vice {
	case Forges:
		s.at(s.arrival(c, 1), event{kind: evChunk, conn: c, end: forged, epoch: n.Epoch, seq: n.Seq})
	case Starves:
		if time.Duration(s.t-c.since) < harmAfter {
			h.forward(c, n)
		}
	case Delays, Shifts:
		if time.Duration(s.t-c.since) < harmAfter {
			h.forward(c, n)
			return
		}
		s.After(delayedBy, func() {
			if c.serve {
				h.forward(c, n)
			}
		})
	default:
		h.forward(c, n)
	}
}

// Siege is a crowd with liars in it.
type Siege struct {
	*Population
	Liars []*Host
	liars []*liar
}

// NewSiege adds n liars to a crowd.
func NewSiege(p *Population, v Vice, n int) *Siege {
	g := &Siege{Population: p}
	defer func() { p.liarSeeds = g.Liars }()
	for range n {
		l := &liar{vice: v, band: g, next: 1}
		l.h = p.Sim.AddFake(l.play)
		l.h.Slots, l.h.Forwards, l.h.spoil = boast, v.forwards(), l.spoil
		g.Liars, g.liars = append(g.Liars, l.h), append(g.liars, l)
		p.gossip.lies = append(p.gossip.lies, fact{l.h, firstInLine, boast, boast})
		if v == Floods {
			l.flood()
		} else {
			l.seek(p.Root.Place)
		}
	}
	return g
}

// seek asks a place for a slot.
func (l *liar) seek(p tree.Place) {
	l.next += 2
	l.h.Do(tree.Dial{Link: l.next, Place: p})
}

func (l *liar) flood() {
	if !l.h.alive {
		return
	}
	l.seek(l.band.Root.Place)
	l.h.sim.After(floodPause, l.flood)
}

// label is what the liar says of itself.
func (l *liar) label() tree.Label {
	now := l.h.sim.rootLabel(0)
	now.H = uint16(max(1, len(l.path)))
	switch l.vice {
	case Shallow, Knot:
		now.H = firstInLine
	case Ahead:
		now.E += aheadBy
	case Replays:
		if l.old.Epoch == (tree.Epoch{}) {
			l.old = now
		}
		return l.old
	}
	return now
}

func (l *liar) ownPath() []tree.Place {
	if l.vice == Shallow || l.vice == Knot || len(l.path) == 0 {
		return []tree.Place{l.band.Root.Place, l.h.Place}
	}
	return append(slices.Clip(l.path), l.h.Place)
}

func (l *liar) play(_ time.Time, ev tree.Event) []tree.Action {
	switch ev := ev.(type) {
	case tree.Up:
		return []tree.Action{tree.Send{Link: ev.Link, Msg: tree.Join{Addrs: l.h.Place.Addrs, Slots: boast, Age: 1 << 20}}}
	case tree.Joined:
		return l.answer(ev)
	case tree.Down:
		if ev.Link == l.up {
			l.up, l.path = 0, nil
		}
		if l.up == 0 && ev.Link == l.next && l.vice != Floods { // it asks nobody else now
			run := l.h.run
			l.h.sim.After(comeAgain, func() {
				if l.up == 0 && l.h.run == run {
					l.seek(l.band.Root.Place)
				}
			})
		}
	case tree.Received:
		return l.hear(ev)
	}
	return nil
}

// hear goes on as a child.
func (l *liar) hear(ev tree.Received) []tree.Action {
	switch m := ev.Msg.(type) {
	case tree.Welcome:
		if l.vice == Floods || l.up != 0 {
			return nil
		}
		l.up, l.path = ev.Link, m.Path
		l.report(ev.Link)
		return []tree.Action{tree.Feed{Link: ev.Link}}
	case tree.Path:
		if ev.Link == l.up {
			l.path = m.Path
		}
	case tree.Refer:
		if len(m.Places) > 0 && l.up == 0 && l.vice != Floods {
			l.seek(m.Places[0])
		}
		return []tree.Action{tree.Close{Link: ev.Link, End: tree.ByUs(m.Reason)}}
	case tree.Report:
		if l.asked == nil {
			l.asked = make(map[tree.Link]reported)
		}
		l.asked[ev.Link] = reported{m.Sent, l.h.sim.t}
	case tree.Pull: // of one that was welcomed
		if l.vice.forwards() {
			return []tree.Action{tree.Serve{Link: ev.Link, Have: m.Have}}
		}
	}
	return nil
}

func (l *liar) report(up tree.Link) {
	if l.up != up || !l.h.alive {
		return
	}
	l.sent += uint64(time.Second / time.Microsecond)
	l.h.Do(tree.Send{Link: up, Msg: tree.Report{Sent: l.sent, Slots: boast, Free: boast}})
	l.h.sim.After(500*time.Millisecond, func() { l.report(up) })
}

// answer answers a host that asks for a slot.
func (l *liar) answer(ev tree.Joined) []tree.Action {
	refer := func(ps ...tree.Place) []tree.Action {
		return []tree.Action{
			tree.Send{Link: ev.Link, Msg: tree.Refer{Reason: slanderous, Places: ps}},
			tree.Close{Link: ev.Link, End: tree.ByUs(slanderous)},
		}
	}
	switch l.vice {
	case Refuses, Floods:
		return refer()
	case Itself:
		return refer(l.h.Place)
	case Ring:
		var ps []tree.Place
		for _, o := range l.band.Liars[:min(len(l.band.Liars), tree.MaxRefer)] {
			ps = append(ps, o.Place)
		}
		return refer(ps...)
	case Mute:
	default:
		l.beat(ev.Link)
	}
	return []tree.Action{tree.Send{Link: ev.Link, Msg: tree.Welcome{Label: l.label(), Path: l.ownPath()}}}
}

// beat sends heartbeats to a child or over a standby link for as long as that stands.
func (l *liar) beat(link tree.Link) {
	s := l.h.sim
	s.After(fakeBeat, func() {
		if !l.h.alive || l.h.conns[link] == nil {
			return
		}
		hb := tree.Heartbeat{Label: l.label()}
		if p := l.asked[link]; p.Sent != 0 && l.vice != Timeless {
			clock := time.Duration(s.t - s.epochs[len(s.epochs)-1].start)
			if l.vice == Shifts {
				clock = max(time.Microsecond, clock-delayedBy)
			}
			hb.Clock = uint64(clock / time.Microsecond)
			hb.Echo, hb.Held = p.Sent, uint64(time.Duration(s.t-p.at)/time.Microsecond)
		}
		l.h.Do(tree.Send{Link: link, Msg: hb})
		l.beat(link)
	})
}

// Toll is what liars cost the hosts around them.
type Toll struct {
	Measures
	Fell   int             // moves below a liar, of all hosts
	Most   int             // moves of one host below one liar, at most
	Asked  float64         // dials to a liar, per host and minute
	Stuck  int             // hosts that have a liar above them in the end
	Below  []time.Duration // that a host was the child of a liar, each time
	Forged int             // chunks that came and were not the root's; each ended its link
}

// RunSiege waits until all are served, and then measures for so long what a crowd of honest
// hosts suffers from the liars in it.
func RunSiege(s *Sim, c Crowd, v Vice, liars int, take time.Duration) (Toll, error) {
	var t Toll
	p := NewPopulation(s, c)
	if err := s.Run(c.Spread); err != nil {
		return t, err
	}
	served := func() bool { _, lost := s.Depths(); return lost == 0 }
	if _, ok := s.RunUntil(patient, served); !ok {
		return t, errors.Join(s.Err(), fmt.Errorf("seed %d: not all are served before anything has happened", s.cfg.Seed))
	}
	g := NewSiege(p, v, liars)
	end := p.Watch()
	err := s.Run(take)
	for _, h := range p.alive {
		h.escaped()
	}
	t.Forged = s.forgeries
	for _, d := range s.below {
		if v == Starves || v == Delays || v == Shifts {
			d = max(0, d-harmAfter)
		}
		t.Below = append(t.Below, d)
	}
	for _, h := range p.alive { // a host that has just moved below a liar may leave it again
		below := false
		for up, n := h.Parent(), 0; up != nil && n < len(s.hosts); up, n = up.Parent(), n+1 {
			below = below || slices.Contains(g.Liars, up)
		}
		if below && h.Lag() > behind && s.t-h.lastAt > int64(tooLong) {
			t.Stuck++
		}
	}
	t.Measures = end()
	asked := 0
	for _, h := range p.alive {
		asked += h.asked
		for _, n := range h.fooled {
			t.Fell += n
			t.Most = max(t.Most, n)
		}
	}
	t.Asked = float64(asked) / float64(len(p.alive)) / take.Minutes()
	return t, err
}
