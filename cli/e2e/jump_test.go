//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

const (
	// jumpAt is when an encoder's timestamps jump, in its own time. By then a player has long
	// found its pace.
	jumpAt = 12 * time.Second
	// jumpSettling is how long after the jump the test looks at a player, and watchJump how
	// long the player plays.
	jumpSettling = 3 * time.Second
	watchJump    = 20 * time.Second
	// staysBehind is how much further behind live than before a player may be. It is well below
	// the jumps, and leaves room for a busy machine.
	staysBehind = time.Second
)

// TestAnEncodersJumpLeavesNoPlayerBehind has an encoder's timestamps jump ahead of time. VLC
// trusts them, and would stay behind by as much for ever.
func TestAnEncodersJumpLeavesNoPlayerBehind(t *testing.T) {
	for _, c := range []struct {
		player, output string
		jump           float64 // seconds
	}{
		{"vlc", ".flv", 3},
		{"vlc", ".ts", 9.5},
		{"mpv", ".flv", 9.5},
	} {
		t.Run(fmt.Sprintf("%s%s after %gs", c.player, c.output, c.jump), func(t *testing.T) {
			waiting.Take(t)
			w := newWorld(t)
			src := w.source()
			began := time.Now()
			shift := fmt.Sprintf("PTS+gte(T\\,%g)*%g/TB", jumpAt.Seconds(), c.jump)
			encodeClock(t, src.rtmp, 320, 180, "-vf", "setpts="+shift, "-af", "asetpts="+shift, "-fps_mode", "passthrough")
			play(t, "viewer", src.url).gets(t, 60)
			s := playersHere[c.player](t, src.url[:len(src.url)-len(".flv")]+c.output, watchJump)

			var before, after []time.Duration
			for _, l := range s.looks {
				switch {
				case l.at.After(s.shown[0].Add(settling)) && l.at.Before(began.Add(jumpAt)):
					before = append(before, l.behind)
				case l.at.After(began.Add(jumpAt + jumpSettling)):
					after = append(after, l.behind)
				}
			}
			if len(before) == 0 || len(after) == 0 {
				t.Fatalf("%d pictures were read before the jump, %d after it", len(before), len(after))
			}
			slices.Sort(before)
			slices.Sort(after)
			was, is := before[len(before)/2], after[len(after)/2]
			t.Logf("behind live by %v before the jump, by %v after it", was, is)
			if is > was+staysBehind {
				t.Errorf("a jump of %g s leaves it behind live by %v, before that it was %v", c.jump, is, was)
			}
		})
	}
}
