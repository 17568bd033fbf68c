package relay

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/stream"
	"relay/tree"
)

// make writes n chunks, one each 5 ms, of which every second is a key: a child that begins at the newest
// key chunk has less than who was there before.
func (w *world) make(n int) {
	w.t.Helper()
	for i := range n {
		f := stream.EndsChunk
		if i%2 == 0 {
			f |= stream.StartHere
		}
		if err := w.root.writer.WriteTag(fmt.Appendf(nil, "frame %d", i), f); err != nil {
			w.t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// displaced has a node believe that its parent wants it to move below another.
func (n *inhabitant) displaced(to *inhabitant) {
	n.query(func(*tree.Node) {
		n.handle(tree.Received{Link: n.change.to, Msg: tree.Bye{Reason: tree.ReasonDisplaced, Places: []tree.Place{to.place}}})
	})
}

// number is which of all a node is, -1 for none.
func (w *world) number(n *inhabitant) int { return slices.Index(w.all, n) }

// parent is the number of a node's parent, -1 if it has none.
func (w *world) parent(n *inhabitant) int {
	s := n.status(w.t)
	return slices.IndexFunc(w.all, func(p *inhabitant) bool { return s.Tree.Attached && s.Tree.Parent.ID == p.place.ID })
}

// TestAMoveBeforeTheStreamBeginsLosesNothing has the stream begin when a node has moved, and before its
// new parent has heard that it pulls.
func TestAMoveBeforeTheStreamBeginsLosesNothing(t *testing.T) {
	inside(t, 2, &world{quiet: true}, func(t *testing.T, w *world) {
		if err := w.root.writer.SetHeader([]byte("header")); err != nil {
			t.Fatal(err)
		}
		w.add(option{slots: 4})
		w.add(option{slots: 4})
		w.within(10*time.Second, "both are attached", w.attached)
		n := w.add(option{})
		w.within(10*time.Second, "it is attached", w.attached)
		time.Sleep(5 * time.Second)
		from := w.parent(n)
		n.displaced(w.all[1+from%2])
		to := from
		for ; to == from || to < 0; to = w.parent(n) {
			time.Sleep(time.Millisecond)
			synctest.Wait()
		}
		n.host.Cut(w.all[to].host)
		w.make(40)
		n.host.Heal(w.all[to].host)
		w.make(40)
		w.within(time.Second, "it has all", func(n *inhabitant) bool { return n.Ring().Head().Seq == 80 })
		if first, st := n.Ring().Oldest().Seq, n.Ring().Stats(); first != 1 || st.Lost != 0 {
			t.Errorf("it has %d to %d, and %d are lost", first, st.Head.Seq, st.Lost)
		}
		w.within(2*overlapTime, "one parent serves it", func(n *inhabitant) bool {
			fed := 0
			n.query(func(*tree.Node) {
				for _, u := range n.up {
					if u.feeding.Load() {
						fed++
					}
				}
			})
			return n == w.root || fed == 1
		})
		w.wantWhole()
	})
}

// branch is a source with a free place, a node that has had the whole stream, and its child. The stream goes on.
func (w *world) branch() (parent, child *inhabitant, wait func()) {
	w.t.Helper()
	if err := w.root.writer.SetHeader([]byte("header")); err != nil {
		w.t.Fatal(err)
	}
	parent = w.add(option{slots: 4})
	w.within(10*time.Second, "it is attached", w.attached)
	child = w.add(option{unreachable: true, hosts: []HostPort{hostPort(parent.place)}})
	w.within(10*time.Second, "both are attached", w.attached)
	if w.parent(parent) != 0 || w.parent(child) != 1 {
		w.t.Fatalf("they are below %d, %d", w.parent(parent), w.parent(child))
	}
	var stream sync.WaitGroup
	stream.Go(func() { w.make(600) })
	return parent, child, stream.Wait
}

// young has a child hear nothing of its parent for a moment, in which another node joins, and then move below
// that one. It is there when it returns, and the new parent's first chunks have come.
func (w *world) young(parent, child *inhabitant) {
	w.t.Helper()
	time.Sleep(100 * time.Millisecond)
	parent.host.Cut(child.host)
	time.Sleep(20 * time.Millisecond)
	next := w.add(option{slots: 4})
	for next.Ring().Head().Seq == 0 {
		time.Sleep(time.Millisecond)
		synctest.Wait()
	}
	child.displaced(next)
	for w.parent(child) != w.number(next) {
		time.Sleep(time.Millisecond)
		synctest.Wait()
	}
	time.Sleep(2 * worldDelay)
	has, begins := child.Ring().Head().Seq, next.Ring().Oldest().Seq
	w.t.Logf("the child has %d, and its new parent's ring begins at %d", has, begins)
	if begins <= has+1 {
		w.t.Error("the new parent has all, or the child has jumped")
	}
}

// TestAMoveToAParentWithLessHistoryLosesNothing has a node move to a parent that joined after what the node has,
// while the old one pauses.
func TestAMoveToAParentWithLessHistoryLosesNothing(t *testing.T) {
	inside(t, 2, &world{quiet: true}, func(t *testing.T, w *world) {
		old, n, wait := w.branch()
		w.young(old, n)
		old.host.Heal(n.host)
		wait()
		w.wantWhole()
		if st := n.Ring().Stats(); st.Lost != 0 {
			t.Errorf("%d are lost", st.Lost)
		}
	})
}

// TestWhoHasWhatTheNextParentLacksIsAsked has a node lose its parent, and move to one that lacks what comes next.
func TestWhoHasWhatTheNextParentLacksIsAsked(t *testing.T) {
	inside(t, 2, &world{quiet: true}, func(t *testing.T, w *world) {
		old, n, wait := w.branch()
		w.young(old, n)
		old.kill()
		begun, had := time.Now(), n.Ring().Head()
		for n.Ring().Head() == had {
			time.Sleep(time.Millisecond)
			synctest.Wait()
		}
		t.Logf("it goes on %v after it has moved", time.Since(begun))
		wait()
		w.wantWhole(old)
		if st := n.Ring().Stats(); st.Lost != 0 {
			t.Errorf("%d are lost", st.Lost)
		}
	})
}
