//go:build e2e && linux

package netns

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"relay/cli/e2e/internal/wait"
	"relay/playback/api"
)

// fullHouse is a node that can be dialled and has no place left. Both of its children can be called, and
// one has places itself. When somebody comes who has to be let in, the other has to go there.
type fullHouse struct {
	*swarm
	full  *node // the source, or its only child
	other *node // who has places
	mover *node // who is to go there
}

// newFullHouse starts all but the newcomer. inner puts a node between the source and the others.
func newFullHouse(t *testing.T, inner bool) *fullHouse {
	t.Helper()
	h := &fullHouse{swarm: &swarm{internet: newInternet(t), dir: folder(t), flags: []string{"--upload", upload}}}
	add := func(name string, k kind, children int) *node {
		w := h.add(t, name, k, children)
		if len(h.nodes) == 1 {
			h.startSource(t)
		} else {
			h.launch(t, w)
			h.ready(t, w)
		}
		h.attached(t, w)
		w.player = w.play(t, "player at "+name, w.url)
		return w
	}
	if inner {
		add("source", open, 1)
		h.full = add("between", open, 2)
	} else {
		h.full = add("source", open, 2)
	}
	h.other = add("other", restricted, 3)
	h.mover = add("mover", restricted, 1)
	wait.Until(t, "it is known that both are called", func() error {
		st, err := h.full.channel()
		if err != nil {
			return err
		}
		if len(st.Children) != 2 || slices.ContainsFunc(st.Children, func(c api.Child) bool { return c.Reach != api.ReachPunchable }) {
			return fmt.Errorf("the children are %+v", st.Children)
		}
		return nil
	})
	h.settle(t)
	for _, w := range h.nodes {
		w.player.forget()
	}
	return h
}

// add connects one more machine.
func (h *fullHouse) add(t *testing.T, name string, k kind, children int) *node {
	t.Helper()
	r := h.internet.reside(t, name, k)
	if r.router != nil {
		// Else it refuses a pair of ports for two minutes whose meeting was broken off half-way.
		must(t, r.router.do(func() error { return writeSetting("netfilter/nf_conntrack_tcp_be_liberal", "1") }))
	}
	w := newNode(r.host, children)
	w.name, w.num = name, len(h.nodes)
	h.nodes = append(h.nodes, w)
	return w
}

// wantPath waits until a node gets the stream by way of others.
func (h *fullHouse) wantPath(t *testing.T, n *node, by ...*node) {
	t.Helper()
	var want []string
	for _, b := range append(by, n) {
		want = append(want, b.id)
	}
	wait.Until(t, n.name+" has its place", func() error {
		st, err := n.channel()
		if err == nil && !slices.Equal(st.Path, want) {
			err = fmt.Errorf("its path is %v, and not %v", st.Path, want)
		}
		return err
	})
}

// whole checks that no player has missed or repeated anything.
func (h *fullHouse) whole(t *testing.T) {
	t.Helper()
	h.caughtUp(t)
	for _, n := range h.nodes {
		if f := n.player.faults; f.any() {
			t.Errorf("%s: lost %d tags, got %d twice, %d that are none of the source's: %v", n.name, f.lost, f.repeated, f.alien, f.notes)
		}
	}
}

// TestAChildAtHomeMakesRoomForWhoCannotCall has a newcomer behind a symmetric router come to a source
// whose children could both be called. It finds out that it cannot call by calling both.
func TestAChildAtHomeMakesRoomForWhoCannotCall(t *testing.T) {
	t.Parallel()
	h := newFullHouse(t, false)
	newcomer := h.add(t, "newcomer", symmetric, 0)
	h.launch(t, newcomer)
	newcomer.find(t, `(?m)^(Live: )`)
	h.wantPath(t, h.mover, h.full, h.other)
	h.wantPath(t, h.other, h.full)
	h.nodes = h.nodes[:len(h.nodes)-1] // it has no player
	h.whole(t)
}

// TestTheNodeInBetweenDiesInACall kills the node that carries a call while it is under way: as soon as
// somebody has come who cannot call, for whom the caller has to make room, or while the one that is
// called tries to get through.
func TestTheNodeInBetweenDiesInACall(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		// under waits until the call, which cannot come to its end, is under way.
		under func(t *testing.T, h *fullHouse, newcomer *node)
	}{
		{
			"as it begins",
			func(t *testing.T, _ *fullHouse, newcomer *node) {
				newcomer.find(t, `("msg":"attached")`) // who makes room has been told so
			},
		},
		{
			"while they try",
			func(t *testing.T, h *fullHouse, newcomer *node) {
				newcomer.find(t, `("msg":"attached")`)
				h.internet.forgetTried(t) // what did not go by the call
				wait.Until(t, "the one that is called tries", h.internet.triedBack)
				h.full.signal(t, syscall.SIGSTOP)
				pass(t, 300*time.Millisecond) // long enough to be taken for dead
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newFullHouse(t, true)
			newcomer := h.add(t, "newcomer", symmetric, 0)
			h.internet.part(t, []*host{h.mover.host}, []*host{h.other.host})
			h.launch(t, newcomer)
			c.under(t, h, newcomer)
			h.full.kill()
			newcomer.kill() // there is no place for all
			h.internet.heal(t)
			h.full.player.quit()
			h.nodes = slices.DeleteFunc(h.nodes, func(n *node) bool { return n == h.full || n == newcomer })
			_, err := h.reattached(t, []*node{h.mover, h.other}, []*node{h.full}, time.Now(), wait.Patience)
			must(t, err)
			h.whole(t)
		})
	}
}
