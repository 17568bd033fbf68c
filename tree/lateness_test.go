package tree

import (
	"math/rand/v2"
	"testing"
	"time"
)

// watched runs l with the same lags, heartbeat by heartbeat, until it wants a faster
// parent, and returns how long that took. It gives up after most.
func watched(l *lateness, now *time.Time, s lags, most time.Duration) (time.Duration, bool) {
	for begin := *now; now.Sub(begin) <= most; *now = now.Add(heartbeatInterval) {
		if l.watch(*now, s); l.wanted {
			return now.Sub(begin), true
		}
	}
	return most, false
}

func newLateness() (*lateness, time.Time) {
	return &lateness{rand: rand.New(rand.NewPCG(1, 2))}, time.Unix(1000, 0)
}

func TestALinkIsSlowBeyondWhatTheTwoMayDisagreeBy(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name string
		lags lags
		want bool
	}{
		{"not later than the limit", lags{own: 400 * ms}, false},
		{"later", lags{own: 401 * ms}, true},
		{"the parent is late itself", lags{own: 900 * ms, parent: 500 * ms}, false},
		{"two heartbeats are allowed", lags{own: 500 * ms, heartbeat: 50 * ms}, false},
		{"and no more", lags{own: 501 * ms, heartbeat: 50 * ms}, true},
		{"two round trips are allowed", lags{own: 1000 * ms, rtt: 300 * ms}, false},
		{"and no more of them", lags{own: 1001 * ms, rtt: 300 * ms}, true},
	} {
		if test.lags.slow() != test.want {
			t.Errorf("%s: %v", test.name, !test.want)
		}
	}
}

func TestTheLimitOfALateParentGrowsWithTheDepth(t *testing.T) {
	for depth, limit := range map[int]time.Duration{0: 1000, 1: 1300, 5: 2500} {
		limit *= time.Millisecond
		if (lags{own: limit, depth: depth}).chainLate() {
			t.Errorf("depth %d: late with a lag of %v", depth, limit)
		}
		if !(lags{own: limit + 1, depth: depth}).chainLate() {
			t.Errorf("depth %d: not late with more than %v", depth, limit)
		}
	}
}

func TestLatenessIsPatientAndLongerForADeepNodeBelowALateParent(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name   string
		lags   lags
		lo, hi time.Duration
	}{
		{"a slow link", lags{own: second, depth: 9}, 600 * ms, 1200 * ms},
		{"a late parent", lags{own: 9 * second, parent: 9 * second, depth: 1}, 2500 * ms, 3100 * ms},
		{"a late parent further down", lags{own: 9 * second, parent: 9 * second, depth: 10}, 7 * second, 7600 * ms},
	} {
		l, now := newLateness()
		for range 20 { // part of the patience is by chance, and drawn anew when all is well
			l.watch(now, lags{})
			took, ok := watched(l, &now, test.lags, time.Minute)
			if !ok || took < test.lo || took > test.hi+heartbeatInterval {
				t.Errorf("%s: %v, %v, want %v to %v", test.name, ok, took, test.lo, test.hi)
			}
		}
	}
}

func TestALagThatEndsForOneHeartbeatStartsThePatienceAnew(t *testing.T) {
	l, now := newLateness()
	for range 20 {
		if took, ok := watched(l, &now, lags{own: second}, linkPatience-2*heartbeatInterval); ok {
			t.Fatalf("wanted after %v", took)
		}
		l.watch(now, lags{})
		now = now.Add(heartbeatInterval)
	}
}

func TestWithoutAParentNobodyIsBlamed(t *testing.T) {
	l, now := newLateness()
	if _, ok := watched(l, &now, lags{own: second}, 5*second); !ok {
		t.Fatal("no faster parent is wanted")
	}
	l.pause()
	if l.wanted {
		t.Error("wanted without a parent")
	}
	if took, ok := watched(l, &now, lags{own: second}, 5*second); !ok || took < linkPatience {
		t.Errorf("wanted %v after %v, want the whole patience again", ok, took)
	}
}

func TestEachMoveThatDoesNotHelpDoublesTheWaitUpToSixteenfold(t *testing.T) {
	for _, test := range []struct {
		lag   time.Duration
		waits []time.Duration
	}{
		{second, []time.Duration{30, 60, 120, 240, 480, 480}},
		{veryLate, []time.Duration{10, 20, 40, 80, 160, 160}},
	} {
		l, now := newLateness()
		for i, want := range test.waits {
			l.moved(now)
			took, ok := watched(l, &now, lags{own: test.lag, flows: true}, time.Hour)
			if want *= second; !ok || took != want {
				t.Errorf("%v late: after move %d it is wanted after %v, want %v", test.lag, i+1, took, want)
			}
		}
	}
}

func TestAMinuteWithoutALagForgetsTheMovesThatDidNotHelp(t *testing.T) {
	for _, test := range []struct {
		calm  time.Duration
		moves int
	}{{lateReset - heartbeatInterval, 3}, {lateReset, 0}} {
		l, now := newLateness()
		for range 3 {
			l.moved(now)
		}
		l.watch(now, lags{own: second})
		l.watch(now.Add(test.calm), lags{})
		if l.moves != test.moves {
			t.Errorf("%v without a lag: %d moves count, want %d", test.calm, l.moves, test.moves)
		}
	}
}

func TestAFruitlessSearchDoublesThePauseUpToHalfAMinuteHoweverLateTheStream(t *testing.T) {
	l, now := newLateness()
	late := lags{own: 2 * veryLate, flows: true}
	watched(l, &now, late, time.Minute)
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		l.foundNobody(now)
		took, ok := watched(l, &now, late, time.Hour)
		if want *= second; !ok || took != want {
			t.Errorf("search %d: wanted again after %v, want %v", i+1, took, want)
		}
	}
}

func TestAParentThatSendsNothingMoreIsLeftHoweverShortATimeAgoTheLastMoveWas(t *testing.T) {
	for _, test := range []struct {
		name string
		lags lags
		want time.Duration // after the move
	}{
		{"it has chunks and sends none", lags{own: veryLate}, linkPatience},
		{"it sends some", lags{own: veryLate, flows: true}, lateAgain / 3},
		{"it has none itself", lags{own: veryLate, parent: veryLate}, lateAgain / 3},
	} {
		l, now := newLateness()
		l.moved(now)
		took, ok := watched(l, &now, test.lags, time.Hour)
		if !ok || took < test.want || took > test.want+linkPatience+heartbeatInterval {
			t.Errorf("%s: wanted %v after %v, want %v", test.name, ok, took, test.want)
		}
	}
}
