//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"
)

// failingTree is a tree whose inner node is about to fail, with a player at each node.
type failingTree struct {
	src      *source
	watchers []*watcher
	viewers  []*viewer // one for each watcher, in the same order
	inner    *watcher
	enc      *process
}

// manyKeys makes a keyframe every 67 ms. A child that does not resume where it was, but starts
// anew at the newest one, then loses what lies between.
var manyKeys = []string{"-g", "2"}

// newFailingTree builds a tree of depth 3, sends a stream through it, and picks an inner node.
func newFailingTree(t *testing.T) *failingTree {
	t.Helper()
	w := newWorld(t)
	h := &failingTree{src: w.source()}
	h.watchers = w.watchMany(7, h.src.link)
	h.enc = encode(t, h.src.rtmp, forEver, picture720, tone, h264, manyKeys, aac)
	for _, v := range h.watchers {
		h.viewers = append(h.viewers, play(t, "viewer at "+v.name, v.url))
	}
	for _, v := range h.viewers {
		v.firstKey(t)
	}
	h.viewers[6].gets(t, 200)
	// Of seven, two are the source's children, and one of these has three below it. A node that
	// moves is nowhere for a moment.
	var f family
	eventually(t, "an inner node has 3 below it", func() error {
		f = familyOf(t, h.watchers)
		h.inner = f.inner(h.watchers, 1)
		if h.inner == nil || f.below(h.inner) < 3 || f.depth() < 3 {
			return fmt.Errorf("none has, in a tree of depth %d", f.depth())
		}
		return nil
	})
	t.Logf("%s fails, with %d nodes below it in a tree of depth %d", h.inner.name, f.below(h.inner), f.depth())
	return h
}

// goOn is how many tags everybody gets after the failure, at 77 tags per second.
const goOn = 400

// unharmed lets the stream go on for a while and ends it. It checks that all nodes but the
// inner one, and their viewers, got every tag, and returns what the source took in.
func (h *failingTree) unharmed(t *testing.T) []tag {
	t.Helper()
	rest := slices.Clone(h.viewers)
	inner := slices.Index(h.watchers, h.inner)
	allGet(t, slices.Delete(rest, inner, inner+1), goOn)
	h.enc.interrupt(t)
	want := allOf(t, h.src)
	for i, v := range h.watchers {
		if v == h.inner {
			continue
		}
		reached(t, v.rec, want)
		h.viewers[i].reaches(t, want)
		h.viewers[i].open(t)
		complete(t, h.viewers[i].name, h.viewers[i].got(), want)
		st := status(t, v.url)
		t.Logf("%s: depth %d, chunks %+v", v.name, st.Depth, st.Chunks)
		if st.Chunks.Lost > 0 {
			t.Errorf("%s: %d chunks lost", v.name, st.Chunks.Lost)
		}
		if st.Parent == nil {
			t.Errorf("%s has no parent", v.name)
		}
	}
	return want
}

// recorded checks the recordings of all but the inner node.
func (h *failingTree) recorded(t *testing.T, want []tag) {
	t.Helper()
	for _, v := range slices.Backward(h.watchers) {
		if v == h.inner {
			continue
		}
		v.interrupt(t)
		complete(t, v.name, recording(t, v.rec), want)
	}
}

func TestKilledInnerNodeCostsNobodyATag(t *testing.T) {
	waiting.Take(t)
	h := newFailingTree(t)
	h.inner.kill()
	h.recorded(t, h.unharmed(t))
}

// TestLeavingInnerNodeCostsNobodyATag ends an inner node in good order.
func TestLeavingInnerNodeCostsNobodyATag(t *testing.T) {
	waiting.Take(t)
	h := newFailingTree(t)
	h.inner.interrupt(t)
	if code := h.inner.cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("%s ended with %d", h.inner.name, code)
	}
	h.recorded(t, h.unharmed(t))
}

func TestFrozenInnerNodeCostsNobodyElseATag(t *testing.T) {
	waiting.Take(t)
	h := newFailingTree(t)
	h.inner.signal(t, syscall.SIGSTOP)
	// Longer than a silent parent is given, shorter than a ring holds.
	sleep(t, 4*time.Second)
	h.inner.signal(t, syscall.SIGCONT)
	want := h.unharmed(t)

	// The node itself comes back, and so do its viewers.
	reached(t, h.inner.rec, want)
	sick := h.viewers[slices.Index(h.watchers, h.inner)]
	sick.reaches(t, want)
	sick.open(t)
	h.inner.attached(t)
	h.inner.interrupt(t)
	for who, got := range map[string][]tag{sick.name: sick.got(), h.inner.name: recording(t, h.inner.rec)} {
		monotonic(t, who, got)
		parts := runs(t, who, got, want)
		t.Logf("%s got %v of %d", who, parts, len(want))
	}
	h.recorded(t, want)
}
