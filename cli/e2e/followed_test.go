//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"
)

// TestPageHasWhoIsFollowed follows three channels: one that the node plays, one that is live elsewhere, and one that is
// off. The page at the person's own machine has them in that order, with the way to each.
func TestPageHasWhoIsFollowed(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	here := w.sourceOf(demoClip, "--loop", "--title", "Finals & more", "--no-discovery")
	here.ready(t)
	there := w.sourceOf(demoClip, "--loop", "--title", "Elsewhere", "--channel", "second", "--no-discovery")
	there.ready(t)
	config := w.path("mine")
	const off = "aeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	for _, f := range [][2]string{{off, "quiet"}, {there.link, "late-night"}, {here.link, "finals"}} {
		if code := run(t, "follow", relayBin, "follow", f[0], f[1], "--config", config).cmd.ProcessState.ExitCode(); code != 0 {
			t.Fatalf("relay follow ends with %d", code)
		}
	}
	node := w.watch(here.link, "--config", config, "--no-discovery")
	b := startBrowser(t)
	p := b.open(t, pageOf(t, node.url), map[string]any{"width": 1280, "height": 900})
	p.plays(t)
	want := []string{"late-night On the air relay watch late-night", "finals Live · Finals & more", "quiet Off"}
	eventually(t, "it has those that are live in front", func() error {
		var rows []string
		p.eval(t, `[...document.querySelectorAll('#followedlist li')].map((li) => li.innerText.replace(/\s+/g, ' ').trim())`, &rows)
		if !slices.Equal(rows, want) {
			return fmt.Errorf("it has %q", rows)
		}
		return nil
	})
	p.shot(t, "followed")
	p.isOpenToAll(t, "followed")
	p.clickOn(t, "#followedlist a")
	p.becomes(t, "the way leads to the channel that is open", fmt.Sprintf("location.pathname === '/%s'", here.link[len("relay://"):][:8]))
	p.plays(t)
	p.faultless(t)
	p.close(t)
}
