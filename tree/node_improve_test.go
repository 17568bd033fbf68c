package tree

import (
	"testing"
	"time"
)

// deep is the depth of the node in tests that pull it up. A place at depth deep-1 is of use
// to it.
const deep = 4

func promising(best uint8) Heartbeat {
	hb := quiet(deep - 1)
	hb.Best = allRoom(best)
	return hb
}

// The root has no address that others could dial; below it is a helper, which knows as much.
func TestWhoeverIsNearestToARootThatNobodyDialsIsAskedInItsPlace(t *testing.T) {
	for depth, want := range map[int]int{deep: 101, 3: 101, 2: 0} { // at depth 2 that is the parent
		r := newRig(t, Config{})
		up := r.below(depth)
		path := places(upTo(depth)...)
		path[0].Addrs = nil
		r.give(Received{up, Path{path}})
		hb := quiet(depth - 1)
		hb.Best = allRoom(0)
		d, ok := r.dial(2*improveMax, r.beats(up, hb))
		if ok != (want != 0) || ok && number(d.Place) != want {
			t.Errorf("at depth %d: asked %+v, want node %d", depth, d, want)
		}
	}
}

func TestANodeLooksForABetterPlaceOnlyIfOneIsPromised(t *testing.T) {
	with := func(c Candidate) *Candidate { c.Place = place(50); return &c }
	for _, test := range []struct {
		name   string
		best   uint8
		gossip *Candidate
		cfg    Config
		want   int // who is asked, 0 for nobody
	}{
		{"room at the root", 0, nil, Config{}, 100},
		{"room one level nearer", deep - 2, nil, Config{}, 100},
		{"room as deep as it is", deep - 1, nil, Config{}, 0},
		{"no room", NoRoom, nil, Config{}, 0},
		{"gossip knows one level nearer", NoRoom, with(Candidate{Depth: deep - 2, Free: 1}), Config{}, 50},
		{"gossip knows one as deep", NoRoom, with(Candidate{Depth: deep - 1, Free: 1}), Config{}, 0},
		{"gossip knows one that is full", NoRoom, with(Candidate{Depth: 1}), Config{}, 0},
		{"gossip knows one somewhere", NoRoom, with(Candidate{Depth: -1, Free: 1}), Config{}, 0},
		{"it has stayed and gives something", NoRoom, nil, Config{Slots: 1, Since: time.Unix(1000, 0).Add(-elderAge)}, 100 + deep - 2},
		{"it has just come and gives something", NoRoom, nil, Config{Slots: 1}, 0},
		{"it has stayed and gives nothing", NoRoom, nil, Config{Since: time.Unix(1000, 0).Add(-time.Hour)}, 0},
	} {
		r := newRig(t, test.cfg)
		up := r.below(deep)
		if test.gossip != nil {
			r.give(Candidates{[]Candidate{*test.gossip}})
		}
		d, ok := r.dial(2*improveMax, r.beats(up, promising(test.best)))
		if ok != (test.want != 0) || ok && number(d.Place) != test.want {
			t.Errorf("%s: asked %+v, want node %d", test.name, d, test.want)
			continue
		}
		if !ok {
			continue
		}
		if since := r.now.Sub(r.up.since); since < improveFirst {
			t.Errorf("%s: asked after %v", test.name, since)
		}
		if j, _ := sent[Join](r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})); j.Within != deep-1 {
			t.Errorf("%s: within %d, want %d", test.name, j.Within, deep-1)
		}
	}
}

func TestRoomForOtherClassesMovesNobody(t *testing.T) {
	r := newRig(t, Config{Slots: 1}) // of class 1
	up := r.below(deep)
	hb := quiet(deep - 1)
	hb.Best = Room{NoRoom, NoRoom, 0, 0, 0, 0}
	if d, ok := r.dial(2*improveMax, r.beats(up, hb)); ok {
		t.Errorf("%+v", d)
	}
}

func TestAWelcomeThatIsNoBetterIsDeclined(t *testing.T) {
	for _, test := range []struct {
		name string
		h    uint16
		lag  uint32
		want bool
	}{
		{"nearer", deep - 2, 0, true},
		{"as deep", deep - 1, 0, false},
		{"nearer, as late as that may be", deep - 2, 300, true},
		{"nearer, and later", deep - 2, 301, false},
	} {
		r := newRig(t, Config{})
		up := r.below(deep)
		d, _ := r.dial(improveMax, r.beats(up, promising(0)))
		r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
		as := r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step(), test.h}, Lag: test.lag, Path: []Place{d.Place}}})
		if _, ok := first[Attached](as); ok != test.want {
			t.Errorf("%s: taken: %v", test.name, ok)
		}
		if _, lost := first[Orphaned](as); lost {
			t.Errorf("%s: without a parent", test.name)
		}
		if why := closed(as, d.Link); !test.want && (why != ReasonNotNeeded || r.up.link != up) {
			t.Errorf("%s: %+v", test.name, as)
		}
		if m := sentTo[Bye](as, up); test.want && (len(m) != 1 || m[0].Reason != ReasonMoved) {
			t.Errorf("%s: the old parent is told %+v", test.name, m)
		}
	}
}

// That holds whatever is promised, and however good the place turns out to be.
func TestANodeMovesOfItsOwnChoiceAtMostOnceInHalfAMinute(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(MaxPath - 1)
	var last time.Time
	moves := 0
	for r.now.Before(time.Unix(1000, 0).Add(15 * time.Minute)) {
		as := r.pass(heartbeatInterval)
		hb := quiet(r.depth() - 1)
		hb.Best, hb.Label.Epoch, hb.Label.E = allRoom(0), Epoch{Ms: 1}, r.step()
		as = append(as, r.give(Received{up, hb})...)
		for len(as) > 0 {
			a := as[0]
			as = as[1:]
			d, ok := a.(Dial)
			if !ok {
				continue
			}
			r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
			if number(d.Place) == 100 { // the root sends it on
				as = append(as, r.give(Received{d.Link, Refer{ReasonFull, places(200 + moves), 0}})...)
				continue
			}
			got := r.give(Received{d.Link, Welcome{
				Label: Label{Epoch{Ms: 1}, r.step(), uint16(r.depth() - 2)}, Path: []Place{place(100), d.Place},
			}})
			if _, ok := first[Attached](got); !ok {
				t.Fatalf("a better place is not taken: %+v", got)
			}
			if gap := r.now.Sub(last); gap < optionalEvery {
				t.Errorf("moved %v after the move before", gap)
			}
			up, last, moves = d.Link, r.now, moves+1
		}
	}
	if moves < 10 {
		t.Errorf("%d moves in 15 min", moves)
	}
}

func TestANodeThatWasRefusedAPromisedPlaceAsksAgainSoon(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(deep)
	d, _ := r.dial(improveMax, r.beats(up, promising(0)))
	r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
	r.give(Received{d.Link, Refer{Reason: ReasonFull}})
	begin := r.now
	again, ok := r.dial(improveMax, r.beats(up, promising(0)))
	if after := r.now.Sub(begin); !ok || number(again.Place) != number(d.Place) || after < 2*improveFirst || after > 4*improveFirst+heartbeatInterval {
		t.Errorf("asks %+v again after %v", again, after)
	}
}

func TestANodeThatGotDeeperLooksSoon(t *testing.T) {
	for _, test := range []struct {
		name   string
		by     int
		best   uint8
		lo, hi time.Duration
	}{
		{"deeper, and there is room", 2, 1, improveFirst, 2*improveFirst + heartbeatInterval},
		{"as deep, and there is room", 0, 1, 2*improveFirst + heartbeatInterval, improveMax},
		{"deeper, and there is none", 2, NoRoom, 2 * improveMax, 0},
	} {
		r := newRig(t, Config{})
		up := r.below(deep)
		r.live((2<<hurries-2)*improveFirst+time.Second, r.beats(up, promising(NoRoom))) // the looks after the move are over
		begin := r.now
		hb := promising(test.best)
		hb.Label.H += uint16(test.by)
		_, ok := r.dial(2*improveMax, r.beats(up, hb))
		if after := r.now.Sub(begin); after < test.lo || test.hi > 0 && after > test.hi || ok != (test.hi > 0) {
			t.Errorf("%s: looks after %v, want %v to %v", test.name, after, test.lo, test.hi)
		}
	}
}

func TestOnlyThePromisedPlacesAndThoseTheyNameAreAsked(t *testing.T) {
	r := newRig(t, Config{Seeds: places(90, 91)})
	r.rest()
	d, _ := r.dial(time.Second)
	r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
	r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, 1, deep - 1}, Path: append(places(upTo(deep-1)...), d.Place)}})
	r.give(hints(70, 71, 72))
	up := r.up.link
	var asked []int
	d, ok := r.dial(improveMax, r.beats(up, promising(0)))
	for ok {
		asked = append(asked, number(d.Place))
		r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
		d, ok = first[Dial](r.give(Received{d.Link, Refer{ReasonFull, places(70, 80), 0}}))
	}
	for _, i := range asked {
		if i != 100 && i != 70 && i != 80 {
			t.Errorf("node %d is asked: %v", i, asked)
		}
	}
	if len(asked) != 3 || asked[0] != 100 {
		t.Errorf("asked %v, want the root and whom it names", asked)
	}
}
