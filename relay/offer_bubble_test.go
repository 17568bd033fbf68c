package relay

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"relay/tree"
)

func (n *inhabitant) asHelper() Helper { return Helper{HostPort: hostPort(n.place), ID: n.place.ID} }

// A source that nobody can dial has a helper take its channel, and everybody else comes to that.
func TestASourceThatNobodyCanDialIsWatchedThroughAHelper(t *testing.T) {
	inside(t, 2, &world{far: true}, func(t *testing.T, w *world) {
		w.walls.Store(w.root.place.Addrs[0].String(), true)
		helper := w.add(option{slots: 8, helper: true})
		toHelper := []HostPort{hostPort(helper.place)}
		ctx, cancel := context.WithCancel(t.Context())
		offering := make(chan struct{})
		go func() {
			defer close(offering)
			w.root.Offer(ctx, helper.asHelper(), func(error) {})
		}()
		defer func() { cancel(); <-offering }()
		w.within(5*time.Second, "the helper plays", func(n *inhabitant) bool { return n != helper || w.plays(n) })
		for i := range 6 {
			w.add(option{slots: 4, walled: i%2 == 0, hosts: toHelper})
		}
		w.within(10*time.Second, "all play", w.plays)
		time.Sleep(10 * time.Second)
		if d := helper.status(t).Tree; d.Depth != 1 || len(w.root.status(t).Tree.Children) != 1 {
			t.Errorf("the helper is at depth %d, and the source has %d children", d.Depth, len(w.root.status(t).Tree.Children))
		}
		cameIn := func(n *inhabitant) (is []bool) {
			for _, l := range n.status(t).Links {
				is = append(is, l.CameIn)
			}
			return is
		}
		if got := cameIn(w.root); !slices.Equal(got, []bool{false}) {
			t.Errorf("the helper has come to the source: %v", got)
		}
		if got := cameIn(helper); len(got) == 0 || slices.Contains(got, false) {
			t.Errorf("the others have come to the helper: %v", got)
		}
		w.wantWhole()

		// The line between them breaks and is there again; nobody else can be asked.
		w.root.host.Cut(helper.host)
		time.Sleep(4 * time.Second)
		w.root.host.Heal(helper.host)
		w.within(15*time.Second, "all are attached again", w.attached)
	})
}

// A node that is no helper takes nothing from strangers who would be its parent.
func TestOnlyAHelperTakesOffers(t *testing.T) {
	inside(t, 2, &world{far: true}, func(t *testing.T, w *world) {
		n := w.add(option{slots: 8})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		failed := 0
		w.root.Offer(ctx, n.asHelper(), func(err error) {
			failed++
			if !errors.Is(err, tree.ReasonNotNeeded) {
				t.Errorf("refused because of %v", err)
			}
		})
		if failed < 3 || failed > 6 {
			t.Errorf("refused %d times in 10 s, want it to ask less and less often", failed)
		}
		n.offers.mu.Lock()
		defer n.offers.mu.Unlock()
		if len(n.offers.kept) != 0 {
			t.Error("an offer is kept")
		}
	})
}
