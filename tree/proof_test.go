package tree

import (
	"testing"
	"time"
)

// nearTo lets a node that is deep look for a place nearer to the root, and the place that it asks say that
// it is at depth 1, with that proof; 0 for none.
func nearTo(t *testing.T, proof int) (r *rig, up Link, as []Action) {
	t.Helper()
	r = newRig(t, Config{Proofs: true})
	up = r.below(deep)
	proves := func() []Action { return r.give(Proven{up, deep, ProofLife, 0}) }
	d, ok := r.dial(improveMax, r.beats(up, promising(0)), proves)
	if !ok {
		t.Fatal("nobody is asked")
	}
	r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
	if proof != 0 {
		r.give(Proven{d.Link, proof, ProofLife, 0})
	}
	return r, up, r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step(), 1}, Path: []Place{place(99), d.Place}}})
}

func TestThatAPlaceIsNearerToTheRootHasToBeProved(t *testing.T) {
	for _, test := range []struct {
		name  string
		proof int
		want  bool
	}{
		{"as it says", 2, true},
		{"nearer, if not as near as it says", deep - 1, true},
		{"as deep as the node is", deep, false},
		{"nothing", 0, false},
	} {
		r, up, as := nearTo(t, test.proof)
		a, ok := first[Attached](as)
		if ok != test.want || ok && a.Depth != test.proof {
			t.Errorf("proved %s: taken: %v, at depth %d", test.name, ok, a.Depth)
		}
		if test.want {
			continue
		}
		proves := func() []Action { return r.give(Proven{up, deep, ProofLife, 0}) }
		if d, again := r.dial(distrustTime-time.Second, r.beats(up, promising(0)), proves); again {
			t.Errorf("proved %s: asked again after %v: %+v", test.name, r.now, d)
		}
	}
}

// What a node says of itself is what is proved, from the first moment on: its children cannot tell its
// parent's lie from its own.
func TestANodeStandsNoNearerThanItsParentProves(t *testing.T) {
	r := newRig(t, Config{Proofs: true})
	up := r.below(2)
	r.give(Proven{up, 5, ProofLife, 0})
	r.give(Received{up, Heartbeat{Label: Label{Epoch{Ms: 1}, r.step(), 1}}})
	if d := r.depth(); d != 5 {
		t.Errorf("it stands at depth %d", d)
	}
	r.give(Proven{up, 3, ProofLife, 0})
	r.live(time.Second, r.beats(up, quiet(1)))
	if i := r.Info(); i.Depth != 3 || i.Proven != 3 {
		t.Errorf("it stands at depth %d, and %d is proved", i.Depth, i.Proven)
	}
	r.live(ProofLife, r.beats(up, quiet(1)))
	if d := r.depth(); d != 2 {
		t.Errorf("when the proof has expired it stands at depth %d", d)
	}
}

func TestAParentThatLiesAboutItsDepthIsLeft(t *testing.T) {
	for _, test := range []struct {
		name  string
		says  int
		proof int // of the node
		want  bool
	}{
		{"the truth", 3, 4, false},
		{"that it is deeper", 4, 4, false},
		{"that it is one link nearer", 2, 4, true},
		{"that it is the root", 0, 4, true},
	} {
		r := newRig(t, Config{Proofs: true})
		up := r.below(4)
		r.give(hints(60))
		proves := func() []Action { return r.give(Proven{up, test.proof, ProofLife, 0}) }
		begun := r.now
		d, ok := r.dial(2*lieTime, r.beats(up, quiet(test.says)), proves)
		if took := r.now.Sub(begun); ok != test.want || ok && (took < lieTime || took > lieTime+time.Second) {
			t.Errorf("it says %s: another is asked: %v, after %v", test.name, ok, took)
		}
		if !ok {
			continue
		}
		as := r.welcomes(d, 3)
		if a, ok := first[Attached](as); !ok || a.Before != ByUs(ReasonLied) {
			t.Errorf("it says %s: %+v", test.name, as)
		}
		if e := r.book.find(place(103)); e == nil || e.avoid.Sub(r.now) < shunTime-time.Second {
			t.Errorf("it says %s, and is not left alone", test.name)
		}
	}
}

// If the root is of an older version there are no proofs. A node that has found that out leaves it at that.
func TestWhereNobodyProvesAnythingANodeCeasesToAsk(t *testing.T) {
	r := newRig(t, Config{Proofs: true, Seeds: places(1, 2)})
	up := r.attach(Label{Epoch{Ms: 1}, 1, 0}, 1)
	asked := 0
	for end := r.now.Add(10 * time.Minute); r.now.Before(end); {
		d, ok := r.dial(time.Minute, r.beats(up, quiet(0)))
		if !ok {
			continue
		}
		asked++
		r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
		as := r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step() + 1, 0}, Path: []Place{d.Place}}})
		if _, taken := first[Attached](as); taken || closed(as, d.Link) != ReasonNotNeeded {
			t.Fatalf("a place that proves nothing either: %+v", as)
		}
		if e := r.book.find(d.Place); e.avoid.After(r.now) {
			t.Error("it is left alone for that, and would be missed in need")
		}
	}
	if asked != maxProofLooks {
		t.Errorf("asked %d times in 10 min", asked)
	}
}

// The parent may be lost in the very call in which a better place welcomes the node.
func TestAParentThatProvesNothingMayBeLostMeanwhile(t *testing.T) {
	r := newRig(t, Config{Proofs: true, Seeds: places(1, 2)})
	up := r.attach(Label{Epoch{Ms: 1}, 1, 0}, 1)
	d, ok := r.dial(proofTime+time.Second, r.beats(up, quiet(0)))
	if !ok {
		t.Fatal("nobody is asked")
	}
	r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
	r.give(Proven{d.Link, 7, ProofLife, 0})
	r.now = r.now.Add(r.times.deadAfter)
	r.up.excused = true // this node was not asleep
	as := r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step(), 6}, Path: append(places(90, 91, 92, 93, 94, 95), d.Place)}})
	if _, lost := first[Orphaned](as); !lost {
		t.Fatalf("the parent is not lost: %+v", as)
	}
	if a, ok := first[Attached](as); !ok || a.Link != d.Link {
		t.Errorf("it has not moved: %+v", as)
	}
}

// A proof may be of where the parent was before it moved to one that proves nothing.
func TestAProofThatIsNotRepeatedMakesNobodyALiar(t *testing.T) {
	r := newRig(t, Config{Proofs: true})
	up := r.below(6)
	r.give(hints(60))
	r.give(Proven{up, 6, ProofLife, 0})
	if d, ok := r.dial(ProofLife-time.Second, r.beats(up, quiet(1))); ok {
		t.Errorf("%+v is asked after %v", d, r.now)
	}
}

// The way to the root may change at any time: a label may be ahead of its proof for a moment.
func TestALabelMayBeAheadOfItsProofForAMoment(t *testing.T) {
	r := newRig(t, Config{Proofs: true})
	up := r.below(4)
	r.give(hints(60))
	for depth := 4; depth > 1; depth-- {
		r.give(Proven{up, depth, ProofLife, 0})
		if d, ok := r.dial(lieTime-time.Second, r.beats(up, quiet(depth-2))); ok {
			t.Fatalf("%+v is asked", d)
		}
		r.give(Proven{up, depth - 1, ProofLife, 0})
		r.live(heartbeatInterval, r.beats(up, quiet(depth-2)))
	}
}

func TestANodeBelowOneThatProvesNothingAsksThoseOfTheInvite(t *testing.T) {
	for _, proofs := range []bool{true, false} {
		r := newRig(t, Config{Proofs: proofs, Seeds: places(1, 2)})
		up := r.attach(Label{Epoch{Ms: 1}, 1, 0}, 1) // it says that it is the root
		begun := r.now
		d, ok := r.dial(proofTime+improveMax, r.beats(up, quiet(0)))
		if took := r.now.Sub(begun); ok != proofs || ok && (number(d.Place) != 2 || took < proofTime || took > proofTime+time.Second) {
			t.Errorf("proofs are demanded: %v; asked %+v: %v, after %v", proofs, d.Place, ok, took)
		}
		if !ok {
			continue
		}
		r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
		r.give(Proven{d.Link, 7, ProofLife, 0})
		as := r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step(), 6}, Path: append(places(90, 91, 92, 93, 94, 95), d.Place)}})
		as = append(as, r.live(2*LabelStep, r.beats(up, quiet(0)), r.beats(d.Link, quiet(6)))...) // its own label is as new at first
		if a, ok := first[Attached](as); !ok || a.Depth != 7 || a.Before != ByUs(ReasonLied) {
			t.Errorf("it has not moved: %+v", as)
		}
	}
}

// The chance to go is about one in the age: a node that is deep enough below a young one had better be below
// an old one beside it.
func TestANodeBelowAYoungOneMovesBelowOneThatHasStayedMuchLonger(t *testing.T) {
	const young = time.Minute
	for _, test := range []struct {
		name  string
		depth int // as the place proves
		age   time.Duration
		want  bool
	}{
		{"much older", deep, asideAges*young + time.Minute, true},
		{"older", deep, asideAges*young - time.Second, false},
		{"much older, and deeper", deep + 1, time.Hour, false},
		{"nearer to the root", deep - 1, time.Second, true},
	} {
		r := newRig(t, Config{Proofs: true, Slots: 8})
		up := r.below(deep)
		proves := func() []Action { return r.give(Proven{up, deep, ProofLife, young}) }
		d, ok := r.dial(improveMax, r.beats(up, quiet(deep-1)), proves)
		if !ok || number(d.Place) != 100+deep-2 {
			t.Fatalf("%s: asked %+v, want the parent's parent", test.name, d)
		}
		if j, _ := sent[Join](r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})); j.Within != deep || j.Slots != 8 {
			t.Errorf("%s: it asks for %+v", test.name, j)
		}
		as := r.give(Received{d.Link, Refer{Reason: ReasonFull, Places: places(50, 51)}})
		if d, ok = first[Dial](as); !ok || number(d.Place) != 50 {
			t.Fatalf("%s: not asked: %+v", test.name, as)
		}
		if j, _ := sent[Join](r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})); j.Within != deep || j.Slots != 0 {
			t.Errorf("%s: somebody has to make room: %+v", test.name, j)
		}
		r.give(Proven{d.Link, test.depth, ProofLife, test.age})
		h := uint16(test.depth - 1)
		as = r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step() + 1, h}, Path: append(places(upTo(test.depth-1)...), d.Place)}})
		if _, ok := first[Attached](as); ok != test.want {
			t.Errorf("%s: taken: %v: %+v", test.name, ok, as)
		}
		if next, ok := first[Dial](as); ok {
			t.Errorf("%s: %+v is asked as well", test.name, next)
		}
	}
}

// Ages that nobody proves count for nothing, and what matters of those that are proved are ratios.
func TestHowOftenANodeLooksForOlderOnes(t *testing.T) {
	for age, most := range map[time.Duration]int{time.Minute: 20, time.Hour: 2, 100 * time.Hour: 1} {
		r := newRig(t, Config{Proofs: true})
		up := r.below(deep)
		proves := func() []Action { return r.give(Proven{up, deep, ProofLife, age}) }
		asked := 0
		for end := r.now.Add(10 * time.Minute); r.now.Before(end); {
			d, ok := r.dial(end.Sub(r.now), r.beats(up, quiet(deep-1)), proves)
			if !ok {
				break
			}
			asked++
			r.give(Down{d.Link, ByThem(ReasonUnreachable)})
		}
		if asked == 0 || asked > most {
			t.Errorf("below one of %v: asked %d times in 10 min, want 1 to %d", age, asked, most)
		}
	}
	r := newRig(t, Config{Proofs: false})
	if d, ok := r.dial(10*time.Minute, r.beats(r.below(deep), quiet(deep-1))); ok {
		t.Errorf("%+v is asked, and nothing is proved", d)
	}
}

// There may be room for others nearer to the root, and never for this node.
func TestANodeThatWasPromisedAPlaceInVainLooksBesideItsParent(t *testing.T) {
	r := newRig(t, Config{Proofs: true})
	up := r.below(deep)
	proves := func() []Action { return r.give(Proven{up, deep, ProofLife, time.Minute}) }
	for _, want := range []int{100, 100 + deep - 2, 100} {
		d, ok := r.dial(improveMax, r.beats(up, promising(0)), proves)
		if !ok || number(d.Place) != want {
			t.Fatalf("asked %+v, want node %d", d, want)
		}
		r.give(Down{d.Link, ByThem(ReasonFull)})
	}
}
