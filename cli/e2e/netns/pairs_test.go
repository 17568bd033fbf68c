//go:build e2e && linux

package netns

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"relay/cli/e2e/internal/wait"
	"relay/playback/api"
)

// pair is a home that could pass the stream on, and one that has nobody else to get it from.
type pair struct{ parent, child kind }

// canBeParent tells whether a machine of one kind can pass the stream on to one of another kind. A
// machine that can be dialled can be linked with from everywhere, whichever of the two it is. Of
// others both routers have to let in who was sent something: each has to know from which outer
// port the other will send, and a symmetric router takes one that nobody knows.
func canBeParent(parent, child kind) bool {
	switch {
	case !parent.meets(child):
		return false
	case parent.dialled(), child.dialled():
		return true
	}
	return parent != symmetric && child != symmetric
}

// somePairs are those that differ most.
var somePairs = []pair{
	{open, symmetric},
	{open, carrier},
	{open, filtered},
	{forwarded, restricted},
	{forwarded, resets},
	{forwarded, symmetric},
	{restricted, open},
	{restricted, restricted},
	{restricted, resets},
	{restricted, symmetric},
	{resets, resets},
	{resets, carrier},
	{carrier, carrier},
	{symmetric, open},
	{symmetric, restricted},
	{symmetric, symmetric},
	{office, office},
	{filtered, restricted},
	{filtered, filtered},
}

// allPairs are those of every kind with every kind.
func allPairs() (all []pair) {
	for _, parent := range kinds {
		for _, child := range kinds {
			all = append(all, pair{parent, child})
		}
	}
	return all
}

// outcome is what came of a pair.
type outcome struct {
	pair
	reach  string // of the parent, as the source has found out
	linked bool   // the child gets the stream through the parent
	// From the start of the child's process until it has a parent, and until it says that it
	// plays, for which it looks twice a second.
	attached, live time.Duration
	referred       int    // how often the source has sent the child on
	told           string // what the child says meanwhile
}

// TestWhoCanPassTheStreamOnToWhom has homes of all kinds get the stream from homes of all kinds.
func TestWhoCanPassTheStreamOnToWhom(t *testing.T) {
	pairs := somePairs
	if thorough() {
		pairs = allPairs()
	}
	var mu sync.Mutex
	var outcomes []outcome
	t.Cleanup(func() { // all pairs have been tried
		slices.SortFunc(outcomes, func(a, b outcome) int {
			return slices.Index(pairs, a.pair) - slices.Index(pairs, b.pair)
		})
		t.Logf("who can pass the stream on to whom:\n%s", tabled(outcomes))
	})
	for _, p := range pairs {
		t.Run(fmt.Sprintf("%s to %s", p.parent, p.child), func(t *testing.T) {
			t.Parallel()
			o := outcome{pair: p}
			defer func() { // also of one that has failed
				mu.Lock()
				defer mu.Unlock()
				outcomes = append(outcomes, o)
			}()
			o.try(t)
		})
	}
}

// try tries a pair of homes that have nothing to do with each other.
func (o *outcome) try(t *testing.T) {
	t.Helper()
	n := newInternet(t)
	o.meet(t, n.reside(t, "source", open), n.reside(t, "parent", o.parent), n.reside(t, "child", o.child), canBeParent(o.parent, o.child))
}

// meet has a parent-to-be take the only place at a source, and a child come then. It returns the
// source's link, and the child.
func (o *outcome) meet(t *testing.T, at, above, below *residence, want bool) (link string, child *node) {
	t.Helper()
	src := at.run(t, "source", clip, "--loop", "--no-qr", "--max-children", "1")
	link = src.find(t, `(?m)^(relay://[a-z2-7]{52}@\S+)`)
	parent := above.run(t, "watch", link, "--max-children", "2")
	wait.Until(t, "the source has tried whether others get through to the parent", func() error {
		st, err := parent.channel()
		if o.reach = st.Reach; err == nil && o.reach == "" {
			err = errors.New("it has not")
		}
		return err
	})
	if (o.reach == api.ReachOpen) != o.parent.dialled() {
		t.Errorf("the parent hears that it is %s", o.reach)
	}

	began := time.Now()
	// Who passes nothing on is not given the parent's place.
	child = below.run(t, "watch", link, "--max-children", "0")
	wait.Until(t, "the child plays, or is told why not", func() error {
		said := child.said(t)
		if o.linked = strings.Contains(said, "\nLive: "); o.linked {
			o.live = time.Since(began)
			return nil
		}
		if m := troubleRE.FindStringSubmatch(said); m != nil {
			o.told = m[1]
		}
		o.referred = src.referred(t, child)
		if !want && o.told != "" && o.referred >= 2 {
			return nil
		}
		return fmt.Errorf("the source has sent it on %d times, and it says %q", o.referred, o.told)
	})
	if o.linked != want {
		t.Errorf("the child plays: %v, want %v", o.linked, want)
	}
	if o.linked {
		st, err := child.channel()
		if must(t, err); !slices.Equal(st.Path, []string{src.id, parent.id, child.id}) || st.Chunks.Lost > 0 {
			t.Errorf("the child has the path %v, and has lost %d chunks", st.Path, st.Chunks.Lost)
		}
		o.attached = child.logged(t, "attached")[0].Time.Sub(began)
		return link, child
	}
	if !strings.Contains(child.said(t), "\nrelay: hint: ") {
		t.Errorf("the child does not say what to do: %s", child.said(t))
	}
	now := time.Now()
	wait.Until(t, "the parent still gets the stream from the source", func() error {
		st, err := parent.channel()
		if err == nil && (st.Parent == nil || st.Parent.ID != src.id || !st.Came.After(now)) {
			err = fmt.Errorf("its parent is %v, its newest chunk came at %v", st.Parent, st.Came)
		}
		return err
	})
	return link, child
}

// troubleRE finds what a watcher says that nobody passes the stream on to.
var troubleRE = regexp.MustCompile(`(?m)^Not connected yet: (.*)$`)

// run starts relay as a node with a log, and waits until it answers.
func (r *residence) run(t *testing.T, command string, args ...string) *node {
	t.Helper()
	n := newNode(r.host, 0)
	n.name = command
	n.process = r.relay(t, command, append([]string{command, "--verbose", "--config", filepath.Join(r.dir, "keys")}, args...)...)
	n.url = n.find(t, `(?m)^Watch +(http://\S+)\n`)
	wait.Until(t, n.name+" answers", func() error {
		st, err := n.ask()
		n.id = st.Node.ID
		return err
	})
	return n
}

// said is what the process has said since it was started.
func (p *process) said(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(p.log)
	must(t, err)
	return string(b[min(p.from, int64(len(b))):])
}

// entry is a line of a node's log.
type entry struct {
	Time time.Time `json:"ts"`
	Msg  string    `json:"msg"`
	Peer string    `json:"peer"`
}

// logged returns the lines of the node's log with a message.
func (n *node) logged(t *testing.T, msg string) (all []entry) {
	t.Helper()
	for line := range strings.Lines(n.said(t)) {
		var e entry
		if json.Unmarshal([]byte(line), &e) == nil && e.Msg == msg { // it says other things as well
			all = append(all, e)
		}
	}
	return all
}

// referred counts how often the node has sent another one on.
func (n *node) referred(t *testing.T, other *node) (times int) {
	t.Helper()
	for _, e := range n.logged(t, "joiner referred") {
		if strings.HasPrefix(other.id, e.Peer) {
			times++
		}
	}
	return times
}

// tabled writes a line for each.
func tabled(outcomes []outcome) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "parent\tchild\treach of the parent\tcan\tms until linked\tlive\tsent on\twhat the child says")
	for _, o := range outcomes {
		can, attached, live := "no", "-", "-"
		if o.linked {
			can, attached, live = "yes", ms(o.attached), ms(o.live)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", o.parent, o.child, o.reach, can, attached, live, o.referred, o.told)
	}
	w.Flush()
	return b.String()
}
