//go:build e2e && linux

package netns

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"

	"relay/cli/e2e/internal/wait"
	"relay/playback/api"
)

// fullHouse is a node that can be dialled and has no place left. Both of its children can be called, and
// one has places itself. When somebody comes who cannot call, the other has to go there.
type fullHouse struct {
	*swarm
	full     *node // the source, or its only child
	other    *node // who has places
	mover    *node // who is to go there
	newcomer *node // nil until it comes
}

// newFullHouse starts all but the newcomer. inner puts a node between the source and the others.
func newFullHouse(t *testing.T, inner bool) *fullHouse {
	t.Helper()
	n := newInternet(t)
	h := &fullHouse{swarm: &swarm{internet: n, dir: folder(t), flags: []string{"--upload", upload}}}
	add := func(name string, k kind, children int) *node {
		w := newNode(n.reside(t, name, k).host, children)
		w.name, w.num = name, len(h.nodes)
		h.nodes = append(h.nodes, w)
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

// comes starts the newcomer.
func (h *fullHouse) comes(t *testing.T) {
	t.Helper()
	r := h.internet.reside(t, "newcomer", symmetric)
	h.newcomer = newNode(r.host, 0)
	h.newcomer.name = "newcomer"
	h.launch(t, h.newcomer)
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
// whose children could both be called.
func TestAChildAtHomeMakesRoomForWhoCannotCall(t *testing.T) {
	t.Parallel()
	h := newFullHouse(t, false)
	h.comes(t)
	h.newcomer.find(t, `(?m)^(Live: )`)
	h.wantPath(t, h.mover, h.full, h.other)
	h.wantPath(t, h.other, h.full)
	h.whole(t)
}

// TestTheNodeInBetweenDiesInACall kills the node that carries a call while it is under way: before the
// node that is called has heard of it, or while both try to get through.
func TestTheNodeInBetweenDiesInACall(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		// hold keeps the call from coming to its end; under waits until it is under way.
		hold, under, release func(t *testing.T, h *fullHouse)
	}{
		{
			"before it is heard",
			func(t *testing.T, h *fullHouse) { h.other.signal(t, syscall.SIGSTOP) },
			// Who makes room was told so when the newcomer was served.
			func(t *testing.T, h *fullHouse) { h.newcomer.find(t, `("msg":"attached")`) },
			func(t *testing.T, h *fullHouse) { h.other.signal(t, syscall.SIGCONT) },
		},
		{
			"while they try",
			func(t *testing.T, h *fullHouse) { h.internet.part(t, []*host{h.other.host}, []*host{h.mover.host}) },
			func(t *testing.T, h *fullHouse) {
				wait.Until(t, "both try", func() error {
					if !h.internet.bothTry() {
						return errors.New("they do not")
					}
					return nil
				})
				h.full.signal(t, syscall.SIGSTOP)
			},
			func(t *testing.T, h *fullHouse) { h.internet.heal(t) },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newFullHouse(t, true)
			c.hold(t, h)
			h.comes(t)
			c.under(t, h)
			h.full.kill()
			h.newcomer.kill() // there is no place for it without the node in between
			c.release(t, h)
			h.full.player.quit()
			h.nodes = slices.DeleteFunc(h.nodes, func(n *node) bool { return n == h.full })
			h.wantPath(t, h.mover, h.source(), h.other)
			h.whole(t)
		})
	}
}
