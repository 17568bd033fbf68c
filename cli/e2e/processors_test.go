//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"runtime"
	"testing"
)

// TestANodeThatNobodyTakesFromUsesOneProcessor has a child and a viewer come and go.
func TestANodeThatNobodyTakesFromUsesOneProcessor(t *testing.T) {
	if runtime.GOMAXPROCS(0) == 1 {
		if os.Getenv("CI") != "" {
			t.Fatal("it takes a second processor to see that all are used")
		}
		t.Skip("there is but one")
	}
	waiting.Take(t)
	w := newWorld(t)
	src := w.source("--admin", loopback)
	root := metricsAt(t, src.process)
	encode(t, src.rtmp, forEver, picture360, tone, h264, aac)
	readiness(t, root, 200, "live")
	uses := func(admin, when string, one bool) {
		t.Helper()
		eventually(t, when, func() error {
			if n, _ := metric(t, admin, "go_gomaxprocs", ""); n < 1 || (n == 1) != one {
				return fmt.Errorf("%v processors", n)
			}
			return nil
		})
	}
	uses(root, "one processor at a source without children", true)

	child := w.watch(src.link, "--admin", loopback)
	admin := metricsAt(t, child.process)
	uses(root, "more at a source with one", false)
	readiness(t, admin, 200, "live")
	uses(admin, "one processor at a node that only watches", true)

	v := play(t, "viewer", child.url)
	v.gets(t, 1)
	uses(admin, "more with a viewer", false)
	uses(root, "and at the source", false)
	v.leave()
	uses(admin, "one processor when the viewer has left", true)
	child.kill()
	uses(root, "one processor when the child has left", true)
}
