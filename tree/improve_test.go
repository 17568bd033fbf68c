package tree

import (
	"math/rand/v2"
	"testing"
	"time"
)

func newImprover() (*improver, time.Time) {
	return &improver{rand: rand.New(rand.NewPCG(1, 2))}, time.Unix(1000, 0)
}

func TestTheNextLookComesAfter15To45Seconds(t *testing.T) {
	m, now := newImprover()
	for range 100 {
		if !m.due(now) {
			t.Fatal("no look is due")
		}
		if wait := m.lookAt.Sub(now); wait < improveMin || wait >= improveMax {
			t.Fatalf("the next look comes after %v", wait)
		}
		if m.due(m.lookAt.Add(-1)) {
			t.Fatal("due before its time")
		}
		now = m.lookAt
	}
}

func TestNoLookIsDueWhileASearchForANearerPlaceRuns(t *testing.T) {
	m, now := newImprover()
	m.begin(now, nil)
	if m.on {
		t.Error("a search runs without a place to ask")
	}
	m.begin(now, places(1))
	if !m.on || m.due(now.Add(time.Hour)) {
		t.Error("due while a search runs")
	}
	m.end()
	if m.on || !m.due(now.Add(time.Hour)) {
		t.Error("not due after the search")
	}
}

// Each time there is a place to be asked, or none any more; then all is as before.
func TestALookComesSoonAfterASearchThatFoundNobody(t *testing.T) {
	for name, targets := range map[string][]Place{"a place is promised": places(1), "none is any more": nil} {
		m, now := newImprover()
		m.due(now)
		m.begin(now, places(1))
		m.end()
		m.inVain(now)
		for i := range hurries {
			lo := improveFirst << i
			if wait := m.lookAt.Sub(now); wait < lo || wait >= min(2*lo, improveMax) {
				t.Errorf("%s: look %d comes after %v", name, i, wait)
			}
			now = m.lookAt
			m.due(now)
			m.begin(now, targets)
			if m.on {
				m.end()
				m.inVain(now)
			}
		}
		for range 100 {
			if wait := m.lookAt.Sub(now); wait < improveMin || m.hurried != 0 && targets == nil {
				t.Fatalf("%s: after that a look after %v", name, wait)
			}
			now = m.lookAt
			m.due(now)
			m.begin(now, nil)
		}
	}
}

func TestALookComesOnceMoreIfTheOneAfterAMoveLedNowhere(t *testing.T) {
	m, now := newImprover()
	m.moved(now, wantAny)
	now = m.lookAt
	m.due(now)
	m.begin(now, nil)
	if wait := m.lookAt.Sub(now); wait < 2*improveFirst || wait >= 4*improveFirst {
		t.Errorf("the second look comes after %v", wait)
	}
}

func TestALookComesSoonAfterAMoveThatCouldNotWait(t *testing.T) {
	for _, test := range []struct {
		w      want
		lo, hi time.Duration
	}{
		{wantAny, improveFirst, 2 * improveFirst},
		{wantOther, improveFirst, 2 * improveFirst},
		{wantFaster, improveMin, improveMax},
		{wantNearer, improveMin, improveMax},
	} {
		m, now := newImprover()
		for range 100 {
			m.begin(now, places(1))
			m.moved(now, test.w)
			if wait := m.lookAt.Sub(now); wait < test.lo || wait >= test.hi || m.on {
				t.Fatalf("after a move for %v: a look after %v, searching: %v", test.w, wait, m.on)
			}
		}
	}
}

func TestOnlyAMoveOfTheNodesOwnChoiceHasToRest(t *testing.T) {
	for w, rests := range map[want]bool{wantAny: false, wantOther: false, wantFaster: false, wantNearer: true} {
		m, now := newImprover()
		m.moved(now, w)
		if m.rested(now.Add(optionalEvery-1)) == rests || !m.rested(now.Add(optionalEvery)) {
			t.Errorf("after a move for %v: rested %v", w, !rests)
		}
	}
}

func TestALookIsOnlyBroughtForward(t *testing.T) {
	m, now := newImprover()
	m.due(now)
	was := m.lookAt
	m.hurry(was.Add(time.Second))
	if !m.lookAt.Equal(was) {
		t.Error("put off")
	}
	m.hurry(now.Add(time.Second))
	if !m.lookAt.Equal(now.Add(time.Second)) {
		t.Error("not brought forward")
	}
}
