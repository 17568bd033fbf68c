//go:build e2e && linux

package netns

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"relay/cli/e2e/internal/wait"
	"relay/playback/api"
)

// TestAnOfficeThatPassesNoUDPIsServed has a viewer whose router passes on no UDP and lets in no TCP.
// Gossip between the others does not count it, as nobody reaches it there. In the tree it goes on, and
// is not taken for lost.
func TestAnOfficeThatPassesNoUDPIsServed(t *testing.T) {
	t.Parallel()
	n := newInternet(t)
	at := n.reside(t, "source", open)
	src := at.run(t, "source", clip, "--loop", "--no-qr", "--max-children", "2")
	link := src.find(t, `(?m)^(relay://[a-z2-7]{52}@\S+)`)
	n.reside(t, "other", open).run(t, "watch", link).find(t, `(?m)^(Live: )`)
	home := n.reside(t, "office", office)
	w := home.run(t, "watch", link)
	w.find(t, `(?m)^(Live: )`)

	out, errs, _ := home.output(t, "doctor", "--no-discovery", "--internet")
	for _, by := range []string{"198.51.100.1", "198.51.100.2"} {
		want := fmt.Sprintf("✗ %s:7144 sees this machine at %s:7144 and does not get through, neither over TCP nor over UDP.", by, home.wan())
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("the doctor does not say %q: %s%s", want, out, errs)
		}
	}

	wait.Until(t, "the source knows all, and lost nobody", func() error {
		out, errs, code := at.output(t, "tree", "--json")
		var trees api.Trees
		if err := json.Unmarshal([]byte(out), &trees); err != nil || len(trees.Channels) != 1 {
			return fmt.Errorf("exit code %d, %v: %s%s", code, err, out, errs)
		}
		tr := trees.Channels[0]
		if tr.Summary.Nodes != 3 || tr.Summary.Orphans > 0 || tr.Summary.Lost > 0 || slices.ContainsFunc(tr.Nodes, func(n api.TreeNode) bool { return n.Unheard }) {
			return fmt.Errorf("the tree is %+v", tr)
		}
		return nil
	})
	st, err := w.channel()
	if must(t, err); st.Reach == api.ReachOpen || st.Parent == nil || st.Parent.ID != src.id {
		t.Errorf("the office is %s, its parent %v", st.Reach, st.Parent)
	}
	if moves := len(w.logged(t, "attached")); moves != 1 {
		t.Errorf("the office has had %d parents", moves)
	}
}
