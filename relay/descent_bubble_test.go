package relay

import (
	"context"
	"crypto/ed25519"
	"testing"
	"time"

	"relay/relay/lineage"
	"relay/relay/wire"
	"relay/tree"
)

func TestAllNodesProveHowDeepTheyAre(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.crowd(12, 2)
		proved := func(n *inhabitant) bool {
			i := n.status(t).Tree
			return i.Attached && i.Proven == i.Depth
		}
		w.within(2*lineage.Renewal, "each has proved its depth", proved, w.root)
		for range 90 { // for three times as long as a proof holds
			time.Sleep(time.Second)
			w.within(2*time.Second, "each proves its depth", proved, w.root)
		}
		for _, n := range w.all[1:] {
			if left := n.status(t).Left; len(left) > 0 {
				t.Errorf("one has left %v", left)
			}
		}
		w.wantWhole()
	})
}

func keyOf(i identity) ed25519.PrivateKey { return i.cert.PrivateKey.(ed25519.PrivateKey) }

// lineageOf is that of a child of the source with that key, or of a child of that one.
func (w *world) lineageOf(t *testing.T, nodes ...identity) wire.Lineage {
	t.Helper()
	var f wire.Lineage
	w.root.query(func(*tree.Node) {
		r, clock, _ := w.root.run(time.Now())
		f = *w.root.descent.own
		key := w.root.descent.node
		for i, n := range nodes {
			if i > 0 {
				key = keyOf(nodes[i-1])
			}
			f.Places = r.Child(f.Places, key, n.id, clock, clock)
		}
	})
	return f
}

// TestAParentThatLiesAboutItsPlaceIsLeft has a node begin below one that says that it is the root, and
// delivers.
func TestAParentThatLiesAboutItsPlaceIsLeft(t *testing.T) {
	for name, c := range map[string]struct {
		proves func(t *testing.T, w *world, l *villain, child identity) wire.Lineage
		within time.Duration
		word   string
	}{
		"and proves nothing": {nil, 30 * time.Second, "lied"},
		"and proves another place": {func(t *testing.T, w *world, l *villain, child identity) wire.Lineage {
			return w.lineageOf(t, l.id, child)
		}, 15 * time.Second, "lied"},
		"and signs a place of the root's": {func(t *testing.T, w *world, l *villain, child identity) wire.Lineage {
			f := w.lineageOf(t, l.id)
			r, clock, _ := w.root.run(time.Now())
			f.Places = append(r.Root(keyOf(l.id), l.id.id, clock), f.Places...)
			return f
		}, time.Second, "forged"},
		"and shows the child its own": {func(t *testing.T, w *world, _ *villain, child identity) wire.Lineage {
			return w.lineageOf(t, child)
		}, time.Second, "forged"},
		"and shows somebody else's": {func(t *testing.T, w *world, l *villain, _ identity) wire.Lineage {
			return w.lineageOf(t, l.id)
		}, time.Second, "forged"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 4, func(t *testing.T, w *world) {
				w.crowd(2, 4)
				ctx, cancel := context.WithCancel(t.Context())
				l := w.villain(ctx, w.all[1], vice{poses: true, proves: c.proves})
				defer func() { cancel(); l.wg.Wait() }()
				n := w.add(option{slots: 2, hosts: []HostPort{hostPort(l.place), hostPort(w.all[2].place)}})
				others := w.all[:3]
				begun, fell := time.Now(), false
				w.within(c.within, "it is left", func(n *inhabitant) bool {
					fell = fell || l.below(n)
					return n.status(t).Tree.Attached && !l.below(n) && n.status(t).Left[c.word] > 0
				}, others...)
				t.Logf("left after %v", time.Since(begun))
				if !fell && c.word == "lied" {
					t.Error("it has not been below it")
				}
				for range 300 {
					time.Sleep(100 * time.Millisecond)
					if l.below(n) {
						t.Fatal("it has gone back")
					}
				}
				w.wantWhole()
			})
		})
	}
}

// TestAnAgeIsBelievedIfALineageShowsIt asks what a joiner's claim is worth.
func TestAnAgeIsBelievedIfALineageShowsIt(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.crowd(3, 2)
		time.Sleep(2 * time.Minute)
		n := w.all[1]
		var own wire.Lineage
		n.query(func(*tree.Node) { own = *n.descent.own })
		const claimed = 1 << 20
		for name, c := range map[string]struct {
			shown *wire.Lineage
			peer  tree.ID
			age   uint32
			want  func(age uint32) bool
		}{
			"nothing is shown":          {nil, n.node.ID(), claimed, func(age uint32) bool { return age == 0 }},
			"its own":                   {&own, n.node.ID(), claimed, func(age uint32) bool { return age >= 110 && age <= 125 }},
			"its own, and it says less": {&own, n.node.ID(), 60, func(age uint32) bool { return age == 60 }},
			"somebody else's":           {&own, w.all[2].node.ID(), claimed, func(age uint32) bool { return age == 0 }},
			"another run's":             {&wire.Lineage{Places: own.Places}, n.node.ID(), claimed, func(age uint32) bool { return age == 0 }},
		} {
			j := tree.Join{Age: c.age}
			if w.root.believeAge(&j, c.shown, c.peer); !c.want(j.Age) {
				t.Errorf("%s: %d s", name, j.Age)
			}
		}
	})
}

// A parent takes over what it was shown, so that a node is as old at its next place.
func TestANodeIsAsOldAtItsNextPlace(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.crowd(5, 2)
		time.Sleep(2 * time.Minute)
		parent := w.inner()
		var child *inhabitant
		for _, n := range w.all {
			if n.status(t).Tree.Parent.ID == parent.place.ID {
				child = n
			}
		}
		parent.kill()
		w.within(30*time.Second, "it has a place elsewhere", func(n *inhabitant) bool {
			s := n.status(t).Tree
			return s.Attached && s.Parent.ID != parent.place.ID && s.Proven == s.Depth
		}, w.root, parent)
		var age time.Duration
		child.query(func(*tree.Node) {
			r, clock, _ := child.run(time.Now())
			child.descent.joiners.in(r, func(v *lineage.Verifier) {
				since, err := v.Since(child.descent.own.Places, child.node.ID(), clock)
				if err != nil {
					t.Error(err)
				}
				age = ms(clock - since)
			})
		})
		if age < 2*time.Minute {
			t.Errorf("it is shown to be %v old", age)
		}
	})
}
