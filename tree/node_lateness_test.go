package tree

import (
	"testing"
	"time"
)

// A machine that freezes twice in a row hears nothing in between. Then a welcome may come
// in the very call that gives up the parent.
func TestAWelcomeFromAFasterPlaceMayComeWhenTheParentWasJustGivenUp(t *testing.T) {
	r := newRig(t, Config{})
	l := r.below(3)
	r.give(Progress{Lag: 900 * time.Millisecond})
	var d Dial
	for i := 0; d.Link == 0; i++ {
		if i == 100 {
			t.Fatal("no faster parent is looked for")
		}
		d, _ = first[Dial](r.live(heartbeatInterval, r.beats(l, Heartbeat{})))
	}
	r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
	r.now = r.now.Add(time.Second)
	r.Advance(r.now) // stalled: the parent is excused
	r.now = r.now.Add(2 * time.Second)
	as := r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step(), 0}, Path: []Place{d.Place}}})
	if _, ok := first[Orphaned](as); !ok {
		t.Fatalf("the parent is not given up: %+v", as)
	}
	if f, ok := first[Attached](as); !ok || f.Link != d.Link {
		t.Errorf("not attached: %+v", as)
	}
}

const second = time.Second

// slow is the heartbeat of a parent at that depth that is so late itself.
func slow(depth int, lag time.Duration) Heartbeat {
	hb := quiet(depth)
	hb.Lag = uint32(lag.Milliseconds())
	return hb
}

func TestAFasterParentIsLookedForWhenTheLinkIsSlowOrTheChainAboveIt(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name        string
		depth       int
		lag, parent time.Duration
		lo, hi      time.Duration // when the first is asked, 0 for never
	}{
		{"all well", 3, 0, 0, 0, 0},
		{"a link that is just quick enough", 3, 500 * ms, 0, 0, 0},
		{"a slow link", 3, 501 * ms, 0, 600 * ms, 1200 * ms},
		{"a slow link, however deep", 12, 501 * ms, 0, 600 * ms, 1200 * ms},
		{"a parent as late", 3, 1500 * ms, 1100 * ms, 0, 0},
		{"a parent as late, just not too late", 3, 1900 * ms, 1900 * ms, 0, 0},
		{"a parent too late", 3, 1901 * ms, 1901 * ms, 3500 * ms, 4100 * ms},
		{"at the top of the late part", 1, 5 * second, 5 * second, 2500 * ms, 3100 * ms},
		{"further down", 6, 5 * second, 5 * second, 5000 * ms, 5600 * ms},
		{"far down", 12, 5 * second, 5 * second, 8000 * ms, 8600 * ms},
	} {
		r := newRig(t, Config{})
		up := r.below(test.depth)
		r.give(hints(50))
		speak := r.beats(up, slow(test.depth-1, test.parent))
		r.live(second, speak)
		r.give(Progress{Lag: test.lag})
		begin := r.now
		d, ok := r.dial(30*second, speak)
		after := r.now.Sub(begin)
		if ok != (test.hi > 0) || ok && (after < test.lo || after > test.hi+2*heartbeatInterval) {
			t.Errorf("%s: %+v after %v, want %v to %v", test.name, d, after, test.lo, test.hi)
		}
	}
}

func TestShortSpikesMoveNobody(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(3)
	r.give(hints(50))
	for range 50 {
		r.give(Progress{Lag: 3 * second})
		as := r.live(linkPatience-heartbeatInterval, r.beats(up, slow(2, 0)))
		r.give(Progress{})
		as = append(as, r.live(100*time.Millisecond, r.beats(up, slow(2, 0)))...)
		if d, ok := first[Dial](as); ok {
			t.Fatalf("%+v", d)
		}
	}
}

func TestOnlyAPlaceThatIsMuchLessLateIsTaken(t *testing.T) {
	for lag, want := range map[uint32]bool{0: true, 599: true, 600: false, 900: false} {
		r := newRig(t, Config{})
		up := r.below(3)
		r.give(Progress{Lag: 900 * time.Millisecond})
		d, _ := r.dial(2*second, r.beats(up, slow(2, 0)))
		r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
		as := r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step(), 0}, Lag: lag, Path: []Place{d.Place}}})
		if _, ok := first[Attached](as); ok != want {
			t.Errorf("%d ms late: taken: %v", lag, ok)
		}
	}
}

func TestASearchThatFindsNobodyIsRepeatedAfterTwiceAsLongEachTime(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(3)
	r.give(hints(50, 51))
	r.give(Progress{Lag: 900 * time.Millisecond})
	speak := r.beats(up, slow(2, 0))
	ask := func() {
		d, ok := r.dial(time.Minute, speak)
		for ok {
			r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
			d, ok = first[Dial](r.give(Received{d.Link, Refer{Reason: ReasonFull}}))
		}
	}
	ask()
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		want *= second
		begin := r.now
		ask()
		if gap := r.now.Sub(begin); gap < want || gap > want+2*heartbeatInterval {
			t.Errorf("search %d comes after %v, want %v", i+2, gap, want)
		}
	}
}

// sluggish moves the node time and again to places that say they are quick, with the
// stream as late as ever, and returns the times between the moves.
func sluggish(r *rig, lag time.Duration, moves int) []time.Duration {
	up, h := r.below(3), 2
	r.give(hints(50, 51, 52, 53, 54, 55, 56, 57))
	r.give(Delivered{up})
	r.give(Progress{Lag: lag, Flows: true}) // late, and not dry
	var gaps []time.Duration
	for begin := r.now; len(gaps) < moves; {
		d, ok := r.dial(20*time.Minute, r.beats(up, slow(h, 0)))
		if !ok {
			r.t.Fatalf("nobody is asked after %v", gaps)
		}
		r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
		as := r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step(), 2}, Path: []Place{place(100), d.Place}}})
		as = append(as, r.give(Delivered{d.Link})...)
		if _, ok := first[Attached](as); !ok {
			r.t.Fatalf("not taken: %+v", as)
		}
		up = d.Link
		gaps, begin = append(gaps, r.now.Sub(begin)), r.now
	}
	return gaps[1:]
}

func TestMovesThatDoNotHelpComeTwiceAsLateEachTime(t *testing.T) {
	for lag, wants := range map[time.Duration][]time.Duration{
		900 * time.Millisecond: {30, 60, 120, 240, 480, 480},
		3 * second:             {10, 20, 40, 80, 160, 160}, // the ring is about to run dry
	} {
		for i, gap := range sluggish(newRig(t, Config{}), lag, 1+len(wants)) {
			if want := wants[i] * second; gap < want || gap > want+2*second {
				t.Errorf("%v late: move %d comes after %v, want %v", lag, i+2, gap, want)
			}
		}
	}
}

func TestAfterAMinuteInWhichAllIsWellTheDoublingStartsAnew(t *testing.T) {
	r := newRig(t, Config{})
	sluggish(r, 900*time.Millisecond, 4)
	if r.late.moves != 4 {
		t.Fatalf("%d moves count", r.late.moves)
	}
	r.give(Progress{})
	for _, step := range []struct {
		d     time.Duration
		moves int
	}{{lateReset - 2*second, 4}, {3 * second, 0}} {
		r.live(step.d, r.beats(r.up.link, slow(2, 0)))
		if r.late.moves != step.moves {
			t.Errorf("%d moves count, want %d", r.late.moves, step.moves)
		}
	}
}

func TestAParentThatWasTooSlowIsLeftAloneForAMinute(t *testing.T) {
	r := newRig(t, Config{})
	sluggish(r, 900*time.Millisecond, 1) // away from node 102
	begin := r.now
	r.give(Down{r.up.link, ByThem(ReasonClosed)})
	asked := make(map[int]time.Duration)
	for range 100 {
		as := r.pass(second)
		for _, d := range every[Dial](as) {
			asked[number(d.Place)] = r.now.Sub(begin)
			if number(d.Place) == 102 && asked[102] < distrustTime {
				t.Fatalf("asked again after %v", asked[102])
			}
			r.give(Down{d.Link, Lost(ReasonUnreachable)})
		}
	}
	if asked[102] == 0 || len(asked) < 5 {
		t.Errorf("asked %v", asked)
	}
}

// A standby link is pulled, and whoever is at its end sends the stream, but no welcome. The node is not late
// any more, and has still to leave its parent.
func TestAPlaceThatServesAndDoesNotWelcomeKeepsNobodyElseFromBeingTaken(t *testing.T) {
	r := newRig(t, Config{})
	r.below(3)
	r.search.want = wantFaster
	for _, test := range []struct {
		brought bool
		lag     uint32 // of the next place, ms
		want    bool
	}{{false, 0, false}, {true, 0, true}, {true, 300, true}, {true, 301, false}} {
		r.search.add(&attempt{link: 99, pulled: true, ready: true, brought: test.brought})
		if got := r.suits(r.now, r.search.find(99), &Welcome{Lag: test.lag}); got != test.want {
			t.Errorf("it delivers: %v; another that is %d ms late is taken: %v", test.brought, test.lag, got)
		}
	}
}
