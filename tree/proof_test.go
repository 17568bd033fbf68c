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
	proves := func() []Action { return r.give(Proven{up, deep, ProofLife}) }
	d, ok := r.dial(improveMax, r.beats(up, promising(0)), proves)
	if !ok {
		t.Fatal("nobody is asked")
	}
	r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
	if proof != 0 {
		r.give(Proven{d.Link, proof, ProofLife})
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
		proves := func() []Action { return r.give(Proven{up, deep, ProofLife}) }
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
	r.give(Proven{up, 5, ProofLife})
	r.give(Received{up, Heartbeat{Label: Label{Epoch{Ms: 1}, r.step(), 1}}})
	if d := r.depth(); d != 5 {
		t.Errorf("it stands at depth %d", d)
	}
	r.give(Proven{up, 3, ProofLife})
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
		proves := func() []Action { return r.give(Proven{up, test.proof, ProofLife}) }
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
	r.give(Proven{d.Link, 7, ProofLife})
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
	r.give(Proven{up, 6, ProofLife})
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
		r.give(Proven{up, depth, ProofLife})
		if d, ok := r.dial(lieTime-time.Second, r.beats(up, quiet(depth-2))); ok {
			t.Fatalf("%+v is asked", d)
		}
		r.give(Proven{up, depth - 1, ProofLife})
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
		r.give(Proven{d.Link, 7, ProofLife})
		as := r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step(), 6}, Path: append(places(90, 91, 92, 93, 94, 95), d.Place)}})
		as = append(as, r.live(2*LabelStep, r.beats(up, quiet(0)), r.beats(d.Link, quiet(6)))...) // its own label is as new at first
		if a, ok := first[Attached](as); !ok || a.Depth != 7 || a.Before != ByUs(ReasonLied) {
			t.Errorf("it has not moved: %+v", as)
		}
	}
}
