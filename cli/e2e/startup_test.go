//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// startups is how many starts are measured of each sort.
const startups = 20

// TestStartUpTimes measures how long a viewer waits for a picture. It reports; a
// machine that is busy with other things proves nothing by being slow.
func TestStartUpTimes(t *testing.T) {
	w := newWorld(t)
	src := w.source()
	node := w.watch(src.link)
	encode(t, src.rtmp, forEver, picture720, tone, h264, aac)
	play(t, "viewer", node.url).gets(t, 100)

	var requests, watches []time.Duration
	for i := range startups {
		begun := time.Now()
		v := play(t, fmt.Sprint("viewer ", i), node.url)
		requests = append(requests, v.firstKey(t).Sub(begun))
		v.leave()
	}
	for i := range startups {
		begun := time.Now()
		p := w.watchAlone(src.link, "-o", "/dev/null")
		v := play(t, fmt.Sprint("viewer of ", i), p.url)
		watches = append(watches, v.firstKey(t).Sub(begun))
		v.leave()
		p.interrupt(t)
	}
	t.Logf("request to first key frame on a running node: %s", spread(requests))
	t.Logf("start of relay watch to first key frame:      %s", spread(watches))
}

func spread(d []time.Duration) string {
	slices.Sort(d)
	round := func(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
	return fmt.Sprintf("p50 %v, max %v of %d", round(d[len(d)/2]), round(d[len(d)-1]), len(d))
}
