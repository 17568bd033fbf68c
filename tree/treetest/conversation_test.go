package treetest_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"relay/tree"
	"relay/tree/treetest"
)

const ms = time.Millisecond

func run(t *testing.T, s *treetest.Sim, d time.Duration) {
	t.Helper()
	if err := s.Run(d); err != nil {
		t.Fatal(err)
	}
}

// within fails unless cond comes to hold within d.
func within(t *testing.T, s *treetest.Sim, d time.Duration, what string, cond func() bool) time.Duration {
	t.Helper()
	took, ok := s.RunUntil(d, cond)
	if !ok {
		t.Fatalf("%s: not within %v (%v)", what, d, s.Err())
	}
	return took
}

// chain returns a root and a line of nodes below it, which have so many slots.
func chain(t *testing.T, s *treetest.Sim, slots ...int) []*treetest.Host {
	t.Helper()
	hs := []*treetest.Host{s.AddRoot(1)}
	for i, n := range slots {
		h := s.Add(n, hs[i])
		hs = append(hs, h)
		within(t, s, 2*time.Second, fmt.Sprintf("host %d attaches", i+1), h.Attached)
		if h.Parent() != hs[i] {
			t.Fatalf("host %d is not below %d", i+1, i)
		}
	}
	run(t, s, time.Second)
	return hs
}

func TestACrowdIsAllServedAndTheTreeStaysShallow(t *testing.T) {
	for seed := range uint64(3) {
		s := treetest.New(treetest.Config{Seed: seed, MinDelay: 1 * ms, MaxDelay: 40 * ms})
		root := s.AddRoot(4)
		var worst time.Duration
		for i := range 200 {
			s.After(time.Duration(s.Rand().Int64N(int64(time.Second))), func() {
				h, begin := s.Add(2+2*(i%2), root), s.Now()
				s.After(0, func() { watchAttach(s, h, begin, &worst) })
			})
		}
		run(t, s, time.Second)
		within(t, s, 10*time.Second, "all attach", s.AllAttached)
		run(t, s, time.Minute) // nodes that were put where there was room find their places
		deepest, sum := 0, 0
		for _, h := range s.Hosts() {
			deepest, sum = max(deepest, h.Depth()), sum+h.Depth()
		}
		mean := float64(sum) / 200
		t.Logf("seed %d: mean depth %.2f, deepest %d, slowest join %v", seed, mean, deepest, worst)
		// The ideal tree has the hundred nodes with four slots above the others. Its levels
		// hold 4, 16, 64 and the other 116 nodes, so it is 4 deep, and 3.46 on average.
		if mean > 3.46*1.05 || deepest > 5 {
			t.Errorf("seed %d: mean depth %.2f, deepest %d", seed, mean, deepest)
		}
		if worst > 3*time.Second {
			t.Errorf("seed %d: one waited %v", seed, worst)
		}
	}
}

func watchAttach(s *treetest.Sim, h *treetest.Host, begin time.Time, worst *time.Duration) {
	if h.Attached() {
		*worst = max(*worst, s.Now().Sub(begin))
		return
	}
	s.After(5*ms, func() { watchAttach(s, h, begin, worst) })
}

func TestChildrenOfAKilledNodeAreServedAgainAtOnce(t *testing.T) {
	s := treetest.New(treetest.Config{})
	hs := chain(t, s, 2, 2, 2)
	spare := s.Add(3, hs[1])
	within(t, s, time.Second, "the spare one attaches", spare.Attached)
	run(t, s, time.Second)
	hs[2].Kill()
	within(t, s, 100*ms, "its child has another parent", hs[3].Attached)
	if hs[3].Parent() == hs[2] {
		t.Error("still below the dead one")
	}
}

func TestAnOrphanKeepsItsChildren(t *testing.T) {
	s := treetest.New(treetest.Config{})
	hs := chain(t, s, 2, 2, 2, 2)
	hs[1].Kill()
	for range 1000 {
		run(t, s, ms)
		if hs[3].Parent() != hs[2] || hs[4].Parent() != hs[3] {
			t.Fatal("a descendant moved although its own parent lives")
		}
	}
	if !s.AllAttached() || hs[2].Parent() != hs[0] {
		t.Error("the orphan did not take the slot of its parent")
	}
}

func TestAFrozenParentIsLeftAfter150MsForTheLinkThatIsReady(t *testing.T) {
	var trace bytes.Buffer
	s := treetest.New(treetest.Config{Trace: &trace})
	hs := chain(t, s, 2, 2)
	other := s.Add(2, hs[1])
	within(t, s, time.Second, "the other attaches", other.Attached)
	run(t, s, 2*time.Second)
	run(t, s, 50*ms-s.Now().Sub(time.Unix(0, 0))%(50*ms)+5*ms) // a heartbeat comes now
	hs[1].Freeze(time.Hour)
	trace.Reset()
	run(t, s, 130*ms) // the newest heartbeat came 10 ms before, or less
	if bytes.Contains(trace.Bytes(), []byte("feed")) {
		t.Errorf("gave the parent up before 150 ms of silence:\n%s", trace.Bytes())
	}
	within(t, s, 100*ms, "both are served again", func() bool { return hs[2].Attached() && other.Attached() })
}

func TestAShortSilenceCostsNothing(t *testing.T) {
	var trace bytes.Buffer
	s := treetest.New(treetest.Config{Trace: &trace})
	hs := chain(t, s, 2, 2)
	run(t, s, 2*time.Second)
	trace.Reset()
	hs[1].Freeze(90 * ms)
	run(t, s, time.Second)
	if hs[2].Parent() != hs[1] || s.Commits != 2 || bytes.Contains(trace.Bytes(), []byte("feed")) {
		t.Errorf("%d commits, want those of the joins", s.Commits)
	}
}

func TestAFrozenCandidateCosts50MsNotADialsTimeout(t *testing.T) {
	s := treetest.New(treetest.Config{})
	root := s.AddRoot(4)
	frozen := s.Add(4, root)
	within(t, s, time.Second, "it attaches", frozen.Attached)
	frozen.Freeze(time.Hour)
	h := s.Add(2, frozen, root) // asks the frozen one first
	took := within(t, s, time.Second, "the newcomer attaches", h.Attached)
	if took < 50*ms || took > 150*ms {
		t.Errorf("attached after %v, want 50 ms and a few round trips", took)
	}
}

func TestANodeThatWasFrozenDoesNotBlameItsParent(t *testing.T) {
	for seed := range uint64(20) { // the timer or the sockets may win at the thaw
		var trace bytes.Buffer
		s := treetest.New(treetest.Config{Seed: seed, Trace: &trace})
		hs := chain(t, s, 2, 0)
		hs[2].Freeze(time.Second)
		run(t, s, 900*ms)
		trace.Reset()
		run(t, s, time.Second)
		if bytes.Contains(trace.Bytes(), []byte("  2 dial")) || hs[2].Parent() != hs[1] {
			t.Fatalf("seed %d: blames its parent for its own stall", seed)
		}
	}
}

func TestALeavingNodeMovesItsChildrenFirst(t *testing.T) {
	s := treetest.New(treetest.Config{})
	root := s.AddRoot(3)
	h := s.Add(3, root)
	within(t, s, time.Second, "attach", h.Attached)
	run(t, s, time.Second)
	var kids []*treetest.Host
	root.Slots = 1 // they are to join below h
	root.Node.Handle(s.Now(), tree.Capacity{Slots: 1, Far: 1})
	for range 3 {
		k := s.Add(1, root)
		within(t, s, 2*time.Second, "attach", k.Attached)
		if k.Parent() != h {
			t.Fatal("not below h")
		}
		kids = append(kids, k)
	}
	root.Slots = 3
	root.Node.Handle(s.Now(), tree.Capacity{Slots: 3, Far: 3})
	run(t, s, time.Second)
	h.Leave()
	for h.Alive() {
		run(t, s, ms)
		for _, k := range kids {
			if !k.Attached() {
				t.Fatal("a child is without a parent while the leaving one still runs")
			}
		}
	}
	run(t, s, 100*ms)
	if !s.AllAttached() {
		t.Error("not all are attached")
	}
}

func TestALeavingNodeWaitsForItsChildren2sAtMost(t *testing.T) {
	s := treetest.New(treetest.Config{})
	hs := chain(t, s, 1, 0)
	hs[2].Freeze(time.Hour)
	hs[1].Leave()
	run(t, s, 1900*ms)
	if !hs[1].Alive() {
		t.Error("left before its child had time to move")
	}
	run(t, s, 200*ms)
	if hs[1].Alive() {
		t.Error("still there after 2 s")
	}
}

func TestALeavingOrphanDoesNotSpin(t *testing.T) {
	s := treetest.New(treetest.Config{})
	hs := chain(t, s, 1, 0)
	hs[0].Kill()
	run(t, s, 20*ms)
	hs[1].Leave() // the simulator refuses deadlines in the past
	run(t, s, 3*time.Second)
	if hs[1].Alive() {
		t.Error("did not leave")
	}
}

func TestARestartedSourceIsFoundAndItsNewEpochReachesAll(t *testing.T) {
	s := treetest.New(treetest.Config{})
	hs := chain(t, s, 2, 2, 1)
	old := hs[3].Node.Info().Label.Epoch
	hs[0].Kill()
	run(t, s, 500*ms)
	hs[0].Restart()
	within(t, s, 3*time.Second, "all follow the new epoch", func() bool {
		return s.AllAttached() && hs[3].Node.Info().Label.Epoch.Compare(old) > 0
	})
}

func TestASourceGoneForAMinuteIsAskedNowAndThenAndFoundSoon(t *testing.T) {
	var trace bytes.Buffer
	s := treetest.New(treetest.Config{Trace: &trace})
	hs := chain(t, s, 2, 1)
	hs[0].Kill()
	trace.Reset()
	run(t, s, time.Minute)
	dials := bytes.Count(trace.Bytes(), []byte("dial"))
	if dials < 10 || dials > 150 {
		t.Errorf("two nodes dialled %d times in a minute", dials)
	}
	hs[0].Restart()
	within(t, s, 13*time.Second, "they find it", s.AllAttached)
}

func TestASlotThatIsNotPulledExpires(t *testing.T) {
	s := treetest.New(treetest.Config{})
	root := s.AddRoot(1)
	var fake *treetest.Host
	fake = s.AddFake(func(_ time.Time, ev tree.Event) []tree.Action {
		if up, ok := ev.(tree.Up); ok {
			return []tree.Action{tree.Send{Link: up.Link, Msg: tree.Join{Addrs: fake.Place.Addrs}}}
		}
		return nil
	})
	fake.Do(tree.Dial{Link: 1, Place: root.Place})
	run(t, s, 100*ms)
	if n := len(root.Children()); n != 1 {
		t.Fatalf("%d children", n)
	}
	run(t, s, 1800*ms)
	if n := len(root.Children()); n != 1 {
		t.Errorf("dropped before 2 s")
	}
	run(t, s, 200*ms)
	if n := len(root.Children()); n != 0 {
		t.Errorf("a slot is still held for a child that never pulled")
	}
}

func TestAChildThatReportsNothingFor5sIsDropped(t *testing.T) {
	s := treetest.New(treetest.Config{})
	hs := chain(t, s, 1)
	hs[1].PowerOff()
	run(t, s, 4400*ms)
	if len(hs[0].Children()) != 1 {
		t.Error("dropped early")
	}
	run(t, s, 700*ms)
	if len(hs[0].Children()) != 0 {
		t.Error("a dead child still holds its slot")
	}
}

func TestARingOfReferralsEndsAndTheOtherPlacesAreAsked(t *testing.T) {
	s := treetest.New(treetest.Config{})
	root := s.AddRoot(2)
	var liars []*treetest.Host
	asked := 0
	for range 9 {
		liars = append(liars, s.AddFake(func(_ time.Time, ev tree.Event) []tree.Action {
			j, ok := ev.(tree.Joined)
			if !ok {
				return nil
			}
			asked++
			var ps []tree.Place
			for _, l := range liars[:8] { // itself included
				ps = append(ps, l.Place)
			}
			return []tree.Action{tree.Send{Link: j.Link, Msg: tree.Refer{Reason: tree.ReasonFull, Places: ps}}}
		}))
	}
	h := s.Add(2, liars[8], root)
	within(t, s, 10*time.Second, "the honest place is asked", h.Attached)
	if asked > 61 {
		t.Errorf("%d liars were asked", asked)
	}
}

func TestATreeOfReferralsIsNotFollowedWithoutEnd(t *testing.T) {
	s := treetest.New(treetest.Config{})
	root := s.AddRoot(2)
	asked := 0
	var liar func(_ time.Time, ev tree.Event) []tree.Action
	liar = func(_ time.Time, ev tree.Event) []tree.Action {
		j, ok := ev.(tree.Joined)
		if !ok {
			return nil
		}
		asked++
		var ps []tree.Place
		for range tree.MaxRefer { // a fresh one each time
			ps = append(ps, s.AddFake(liar).Place)
		}
		return []tree.Action{tree.Send{Link: j.Link, Msg: tree.Refer{Reason: tree.ReasonFull, Places: ps}}}
	}
	h := s.Add(2, s.AddFake(liar), root)
	within(t, s, 10*time.Second, "the honest place is asked", h.Attached)
	if asked > 61 {
		t.Errorf("%d liars were asked", asked)
	}
}

// feeder is a parent that welcomes everybody with a label and a path. After that it sends
// heartbeats with the label, or nothing.
func feeder(s *treetest.Sim, label func() tree.Label, beats bool) *treetest.Host {
	var f *treetest.Host
	f = s.AddFake(func(_ time.Time, ev tree.Event) []tree.Action {
		j, ok := ev.(tree.Joined)
		if !ok {
			return nil
		}
		var beat func()
		beat = func() {
			f.Do(tree.Send{Link: j.Link, Msg: tree.Heartbeat{Label: label()}})
			if f.Alive() {
				s.After(50*ms, beat)
			}
		}
		if beats {
			s.After(50*ms, beat)
		}
		return []tree.Action{tree.Send{Link: j.Link, Msg: tree.Welcome{Label: label(), Path: []tree.Place{f.Place}}}}
	})
	return f
}

func TestALiarCostsItsNeighboursABoundedTime(t *testing.T) {
	fixed := func(l tree.Label) func() tree.Label { return func() tree.Label { return l } }
	future := tree.Epoch{Ms: 1 << 62}
	for _, test := range []struct {
		name   string
		label  func() tree.Label
		beats  bool
		within time.Duration
	}{
		{"welcomes and then says nothing", fixed(tree.Label{Epoch: tree.Epoch{Ms: 1}}), false, 500 * ms},
		{"an old label for ever", fixed(tree.Label{Epoch: tree.Epoch{Ms: 1}, E: 7}), true, 2 * time.Second},
		{"a label from the far future for ever", fixed(tree.Label{Epoch: future, E: 1 << 63}), true, 15 * time.Second},
		{"no label at all", fixed(tree.Label{}), true, 3 * time.Second},
		{"deeper than any tree", fixed(tree.Label{Epoch: future, H: 65535}), true, 3 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := treetest.New(treetest.Config{})
			root := s.AddRoot(2)
			liar := feeder(s, test.label, test.beats)
			h := s.Add(2, liar, root)
			below := s.Add(1, h)
			within(t, s, test.within, "it finds the honest place", h.Attached)
			within(t, s, 15*time.Second, "so does the node below it", below.Attached)
			run(t, s, 10*time.Second)
			if h.Parent() != root || !below.Attached() {
				t.Error("went back to the liar")
			}
		})
	}
}

func TestALabelFromTheFutureDoesNotOutliveItsLiar(t *testing.T) {
	s := treetest.New(treetest.Config{})
	root := s.AddRoot(2)
	e := uint64(1 << 40)
	liar := feeder(s, func() tree.Label { e++; return tree.Label{Epoch: tree.Epoch{Ms: 1 << 62}, E: e} }, true)
	h := s.Add(2, liar, root)
	below := s.Add(1, h)
	within(t, s, 2*time.Second, "both take the liar's word", func() bool {
		return h.Parent() == liar && below.Node.Info().Label.E > 1<<40
	})
	liar.Kill()
	within(t, s, 20*time.Second, "both are back in the tree", func() bool { return h.Attached() && below.Attached() })
}

func TestAParentCannotSpeakForAnotherNode(t *testing.T) {
	s := treetest.New(treetest.Config{})
	root := s.AddRoot(2)
	liar := s.AddFake(func(now time.Time, ev tree.Event) []tree.Action {
		j, ok := ev.(tree.Joined)
		if !ok {
			return nil
		}
		return []tree.Action{
			tree.Send{Link: j.Link, Msg: tree.Welcome{Label: tree.Label{Epoch: tree.Epoch{Ms: 1}}, Path: []tree.Place{root.Place}}},
			// It breaks the rules in the root's name.
			tree.Send{Link: j.Link, Msg: tree.Bye{Reason: tree.ReasonForged}},
		}
	})
	h := s.Add(2, liar, root)
	within(t, s, time.Second, "the root is not shunned for it", h.Attached)
}
