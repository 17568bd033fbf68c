//go:build e2e && linux

package netns

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"relay/cli/e2e/internal/wait"
	"relay/playback/api"
)

// TestASourceThatNobodyReachesIsWatchedThroughAHelper has a source at a home that lets nobody in,
// viewers at such homes, and one machine elsewhere that takes the channel from the source.
func TestASourceThatNobodyReachesIsWatchedThroughAHelper(t *testing.T) {
	t.Parallel()
	internet := newLAN(t)
	src, helper := internet.home(t, "source", 1), internet.home(t, "helper", 2)
	src.shut(t)
	first := src.broadcast(t, "finals", "--no-qr") // for the link: whoever runs the helper needs the channel
	link := first.find(t, `(?m)^(relay://[a-z2-7]{52}@\S+)`)
	first.kill()
	h := helper.relay(t, "helper", "serve", "--helper", link, "--config", helper.dir+"/keys")
	name := h.find(t, `(198\.51\.100\.2:7144/[a-z2-7]{52})`)
	p := src.broadcast(t, "finals", "--no-qr", "--via", name)
	shared := p.find(t, `(?m)^(relay://[a-z2-7]{52}@198\.51\.100\.2:7144\S*)`)
	for i := range 3 {
		v := internet.home(t, fmt.Sprint("viewer", i), 10+i)
		v.shut(t)
		w := v.relay(t, "watch", "watch", shared, "--config", v.dir+"/keys")
		w.find(t, `(?m)^(Live: )`)
	}
	wait.Until(t, "all are in the tree, below the helper", func() error {
		out, errs, code := src.output(t, "tree", "--json")
		var trees api.Trees
		if err := json.Unmarshal([]byte(out), &trees); err != nil || len(trees.Channels) != 1 || len(trees.Channels[0].Nodes) != 5 {
			return fmt.Errorf("exit code %d, %v: %s%s", code, err, out, errs)
		}
		for i, n := range trees.Channels[0].Nodes {
			if n.Depth != min(i, 2) {
				return fmt.Errorf("node %d is at depth %d", i, n.Depth)
			}
		}
		return nil
	})

	// The source goes and comes back; the helper has waited for it.
	p.kill()
	src.broadcast(t, "finals", "--no-qr", "--via", name)
	wait.Until(t, "all are there again", func() error {
		out, _, code := src.output(t, "tree", "--json")
		var trees api.Trees
		if err := json.Unmarshal([]byte(out), &trees); err != nil || len(trees.Channels) != 1 || len(trees.Channels[0].Nodes) != 5 {
			return fmt.Errorf("exit code %d, %v: %s", code, err, out)
		}
		return nil
	})
}

// TestASourceThatKnowsTheTokenNeedsNoLinkAtTheHelper has a helper that was given no channel, and a
// source at a home that lets nobody in, which shows it the token.
func TestASourceThatKnowsTheTokenNeedsNoLinkAtTheHelper(t *testing.T) {
	t.Parallel()
	internet := newLAN(t)
	src, helper := internet.home(t, "source", 1), internet.home(t, "helper", 2)
	src.shut(t)
	token := helper.dir + "/token"
	must(t, os.WriteFile(token, []byte("open-sesame\n"), 0o600))
	h := helper.relay(t, "helper", "serve", "--helper", "--token", "@"+token, "--config", helper.dir+"/keys")
	name := h.find(t, `(198\.51\.100\.2:7144/[a-z2-7]{52})`)

	stranger := src.broadcast(t, "finals", "--no-qr", "--via", name+"?token=open-barley")
	stranger.find(t, `(does not know that token)`)
	stranger.kill()
	p := src.broadcast(t, "finals", "--no-qr", "--via", name+"?token=open-sesame")
	shared := p.find(t, `(?m)^(relay://[a-z2-7]{52}@198\.51\.100\.2:7144\S*)`)
	h.find(t, `(a source has brought it with the token)`)
	for i := range 2 {
		v := internet.home(t, fmt.Sprint("viewer", i), 10+i)
		v.shut(t)
		v.relay(t, "watch", "watch", shared, "--config", v.dir+"/keys").find(t, `(?m)^(Live: )`)
	}
	wait.Until(t, "all are in the tree, below the helper", func() error {
		out, errs, code := src.output(t, "tree", "--json")
		var trees api.Trees
		if err := json.Unmarshal([]byte(out), &trees); err != nil || len(trees.Channels) != 1 || len(trees.Channels[0].Nodes) != 4 {
			return fmt.Errorf("exit code %d, %v: %s%s", code, err, out, errs)
		}
		for i, n := range trees.Channels[0].Nodes {
			if n.Depth != min(i, 2) {
				return fmt.Errorf("node %d is at depth %d", i, n.Depth)
			}
		}
		return nil
	})
	for _, said := range []*process{h, p} {
		log, err := os.ReadFile(said.log)
		must(t, err)
		if strings.Contains(string(log), "sesame") {
			t.Errorf("%s shows the token", said.name)
		}
	}
}
