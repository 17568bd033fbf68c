package relay

import (
	"slices"
	"testing"
	"time"

	"relay/tree"
)

// notices is what the node has noticed of a kind since the from-th notice.
func notices[T Notice](n *inhabitant, from int) (of []T) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, notice := range n.heard[from:] {
		if p, ok := notice.(T); ok {
			of = append(of, p)
		}
	}
	return of
}

func (n *inhabitant) noticed() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.heard)
}

// childrenOf returns those whose parent is p.
func (w *world) childrenOf(p *inhabitant) (kids []*inhabitant) {
	for _, n := range w.all[1:] {
		if n != p && n.status(w.t).Tree.Parent.ID == p.place.ID {
			kids = append(kids, n)
		}
	}
	return kids
}

func TestAChangeOfParentsIsNoticedWithItsReasonAndGap(t *testing.T) {
	for name, c := range map[string]struct {
		fault    func(*inhabitant)
		ends     []tree.End
		min, max time.Duration
	}{
		// A frame comes every 100 ms: less than that is no gap at all. The first of the new parent's is as old as its way
		// is long, and is missed for no longer, if the link was given up before it was made.
		"killed": {(*inhabitant).kill, []tree.End{tree.ByThem(tree.ReasonClosed), tree.ByUs(tree.ReasonSilent)}, 0, 400 * time.Millisecond},
		"frozen": {func(n *inhabitant) { n.host.Freeze() }, []tree.End{tree.ByUs(tree.ReasonSilent)}, worldDelay, 500 * time.Millisecond},
		"leaves": {func(n *inhabitant) { n.cancel() }, []tree.End{tree.ByThem(tree.ReasonLeaving)}, 0, 150 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 3, func(t *testing.T, w *world) {
				w.crowd(8, 3)
				for i, n := range w.all[1:] {
					if first := notices[ParentChanged](n, 0); len(first) == 0 || first[0].Before != (tree.End{}) || first[0].Gap != 0 || first[0].Parent.ID.IsZero() {
						t.Errorf("node %d: the first parent is noticed as %+v", i+1, first)
					}
				}
				time.Sleep(5 * time.Second)
				gone := w.inner()
				kids := w.childrenOf(gone)
				from := map[*inhabitant]int{}
				for _, k := range kids {
					from[k] = k.noticed()
				}
				c.fault(gone)
				for _, k := range kids {
					w.within(5*time.Second, "a child notices the change", func(n *inhabitant) bool {
						return n != k || len(notices[ParentChanged](k, from[k])) > 0
					}, gone)
					got := notices[ParentChanged](k, from[k])[0]
					t.Logf("%s: %v, %v without a chunk", name, got.Before, got.Gap)
					if !slices.Contains(c.ends, got.Before) || got.Parent.ID == gone.place.ID || got.Parent.ID.IsZero() || got.Depth < 1 {
						t.Errorf("noticed %+v, want a reason of %v", got, c.ends)
					}
					if got.Gap < c.min || got.Gap > c.max {
						t.Errorf("a gap of %v, want %v to %v", got.Gap, c.min, c.max)
					}
				}
				gone.host.Thaw()
				time.Sleep(5 * time.Second)
			})
		})
	}
}

func TestChildrenAreNoticedAsTheyComeAndGo(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		w.crowd(1, -1)
		child := w.all[1]
		if got := notices[ChildJoined](w.root, 0); len(got) != 1 || got[0].Peer != child.place.ID || !got[0].Addr.IsValid() {
			t.Fatalf("joined: %+v", got)
		}
		// There is one slot in the whole tree, and it is taken.
		w.add(option{slots: -1})
		w.within(5*time.Second, "the second is turned away", func(n *inhabitant) bool {
			return n != w.root || len(notices[ChildRefused](w.root, 0)) > 0
		})
		if got := notices[ChildRefused](w.root, 0)[0]; got.Peer != w.all[2].place.ID || got.Reason != tree.ReasonFull {
			t.Errorf("turned away: %+v", got)
		}
		from := w.root.noticed()
		child.cancel()
		w.within(5*time.Second, "it is gone", func(n *inhabitant) bool {
			return n != w.root || len(notices[ChildLeft](w.root, from)) > 0
		}, child)
		if got := notices[ChildLeft](w.root, from)[0]; got.Peer != child.place.ID || got.End != tree.ByThem(tree.ReasonLeaving) {
			t.Errorf("left: %+v", got)
		}
	})
}
