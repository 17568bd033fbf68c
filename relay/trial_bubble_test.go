package relay

import (
	"testing"
	"time"

	"relay/tree"
)

// reaches are what the source knows of its children, how many of each.
func (w *world) reaches() map[tree.Reach]int {
	found := make(map[tree.Reach]int)
	for _, c := range w.root.status(w.t).Tree.Children {
		found[c.Reach]++
	}
	return found
}

func (w *world) plays(n *inhabitant) bool {
	last, _ := n.seen()
	return last > 0 && w.attached(n)
}

// Two homes whose routers let nobody in have both slots of a source. Whoever can serve gets a
// place at once, and the one that makes room for it goes on below it without missing a chunk.
func TestWhoCanServeFindsAPlaceBesideHomesThatLetNobodyIn(t *testing.T) {
	inside(t, 2, &world{far: true}, func(t *testing.T, w *world) {
		for range 2 {
			w.add(option{slots: 8, walled: true})
		}
		w.within(10*time.Second, "the homes play", w.plays)
		time.Sleep(tree.ProbeTime + time.Second)
		if got := w.reaches(); got[tree.Closed] != 2 {
			t.Fatalf("the source knows %v, want both closed", got)
		}
		open := w.add(option{slots: 8})
		if took := w.within(time.Second, "who can serve plays", func(n *inhabitant) bool { return n != open || w.plays(n) }); took > 0 {
			t.Logf("it plays after %v", took)
		}
		late := w.add(option{slots: 8, walled: true})
		w.within(10*time.Second, "all play", w.plays)
		time.Sleep(20 * time.Second)
		w.within(time.Second, "all are attached", w.attached)
		w.wantWhole()
		if got := w.reaches(); got[tree.Open] != 1 {
			t.Errorf("the source has %v, want one that is open", got)
		}
		for n, want := range map[*inhabitant]tree.Reach{open: tree.Open, late: tree.Closed} {
			if got := n.status(t).Trial; got.Reach != want || got.Addr != n.place.Addrs[0] {
				t.Errorf("a node knows of itself that it is %v at %v, want %v", got.Reach, got.Addr, want)
			}
		}
		for n, want := range map[*inhabitant]uint16{open: 8, late: 0} {
			var told uint16
			n.query(func(*tree.Node) { told = n.ownFact(n.tree.Info(), time.Now()).Slots })
			if told != want {
				t.Errorf("a node that is %v tells of %d slots, want %d", n.status(t).Trial.Reach, told, want)
			}
		}
		if open.status(t).Tree.Depth != 1 || late.status(t).Tree.Depth != 2 {
			t.Errorf("depths %d and %d, want 1 and 2", open.status(t).Tree.Depth, late.status(t).Tree.Depth)
		}
	})
}

// Most homes let nobody in. As many nodes find a place as there are slots that strangers can use.
func TestACrowdOfWhichFewCanServe(t *testing.T) {
	inside(t, 3, &world{far: true}, func(t *testing.T, w *world) {
		for i := range 12 {
			w.add(option{slots: 3, walled: i%3 != 0})
		}
		w.within(30*time.Second, "all play", w.plays)
		time.Sleep(30 * time.Second)
		w.within(time.Second, "all are attached", w.attached)
		for _, n := range w.all[1:] {
			for _, c := range n.status(t).Tree.Children {
				if w.isWalled(n.place.Addrs[0].String()) {
					t.Errorf("%v has a child, and nobody gets through to it: %v", n.place.Addrs[0], c.Place.Addrs[0])
				}
			}
		}
		if got := w.reaches(); got[tree.Open] != 3 {
			t.Errorf("below the source are %v, want three that are open", got)
		}
	})
}

// More homes come at once than are tried at a time. The others wait for their turn, and not until
// they are asked for again: as long as the source knows nothing, it counts their slots.
func TestEveryHomeOfACrowdIsTriedInItsTurn(t *testing.T) {
	const homes = trials + 4
	inside(t, homes, &world{far: true, upload: 1e9}, func(t *testing.T, w *world) {
		for range homes {
			w.add(option{slots: 8, walled: true})
		}
		w.within(10*time.Second, "the homes play", w.plays)
		time.Sleep(2*tree.ProbeTime + time.Second)
		if got := w.reaches(); got[tree.Closed] != homes {
			t.Errorf("the source knows %v, want %d closed", got, homes)
		}
	})
}
