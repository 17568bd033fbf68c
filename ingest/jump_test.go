package ingest

import (
	"testing"
	"testing/synctest"
	"time"

	"relay/ingest/flv"
)

// camera sends a picture every 40 ms and sound every 20, as time goes by.
type camera struct {
	*channel
	session *Session
	ts      uint32
	shift   map[flv.Type]uint32 // of its timestamps
}

func newCamera(t *testing.T, first uint32) *camera {
	t.Helper()
	c := newChannel(t)
	return &camera{c, c.open(t), first, make(map[flv.Type]uint32)}
}

// runs sends n pictures with their sound. The last one comes now.
func (c *camera) runs(t *testing.T, n int) {
	t.Helper()
	for range n {
		time.Sleep(40 * time.Millisecond)
		c.ts += 40
		write(t, c.session,
			audio(c.ts-20+c.shift[flv.Audio], aacFrame),
			video(c.ts+c.shift[flv.Video], avcInter),
			audio(c.ts+c.shift[flv.Audio], aacFrame))
	}
}

// sent returns the timestamps of a kind that went out since the last call.
func (c *camera) sent(t *testing.T) map[flv.Type][]uint32 {
	t.Helper()
	_, payload := c.stored(t)
	all := make(map[flv.Type][]uint32)
	for tag := range flv.Tags(payload) {
		all[tag.Type()] = append(all[tag.Type()], tag.Timestamp())
	}
	return all
}

// checkPace checks that nothing that was sent is a noticeable step from what came
// before it: what a player would see as a jump, or as being late.
func checkPace(t *testing.T, sent map[flv.Type][]uint32, most int32) {
	t.Helper()
	for typ, all := range sent {
		for i := range all[1:] {
			if step := int32(all[i+1] - all[i]); step < 0 || step > most {
				t.Errorf("tag %d of type %d steps by %d ms, from %d", i+1, typ, step, all[i])
			}
		}
	}
}

// A player that is given a timestamp ahead of time stays behind for good.
func TestAnEncodersJumpReachesNoViewer(t *testing.T) {
	const joined = 40 + 33 + 40 // a frame, a step of a join, and what the tracks are apart
	for name, c := range map[string]struct {
		first, video, audio uint32
	}{
		"3 s ahead":              {0, 3000, 3000},
		"10 s ahead":             {0, 10_000, 10_000},
		"an hour ahead":          {0, 3600_000, 3600_000},
		"3 s back":               {50_000, -3000 & (1<<32 - 1), -3000 & (1<<32 - 1)},
		"3 s ahead, over a wrap": {1<<32 - 2000, 3000, 3000},
		"sound alone ahead":      {0, 0, 3000},
		"sound alone back":       {50_000, 0, -3000 & (1<<32 - 1)},
		"pictures alone ahead":   {0, 3000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cam := newCamera(t, c.first)
				cam.runs(t, 50)
				cam.shift[flv.Video], cam.shift[flv.Audio] = c.video, c.audio
				cam.runs(t, 50)
				sent := cam.sent(t)
				checkPace(t, sent, joined)
				v, a := sent[flv.Video], sent[flv.Audio]
				if got, want := int32(v[len(v)-1]-v[0]), int32(99*40); got > want+joined {
					t.Errorf("%d ms of pictures went out in %d ms", got, want)
				}
				// Pictures and sound of one instant stay together.
				if d := int32(v[len(v)-1] - a[len(a)-1]); d > joined || d < -joined || c.video == c.audio && d != 0 {
					t.Errorf("pictures are %d ms from the sound", d)
				}
			})
		})
	}
}

func TestARealStallPassesUnchanged(t *testing.T) {
	const stall = 3 * time.Second
	for name, c := range map[string]struct {
		behind uint32 // how much of it comes late, all at once, in milliseconds
	}{
		"frames were left out":    {0},
		"frames come all at once": {3000},
		"some of each":            {1520},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cam := newCamera(t, 1<<32-1000) // over the wrap as well
				cam.runs(t, 50)
				time.Sleep(stall)
				for range c.behind / 40 {
					cam.ts += 40
					write(t, cam.session, video(cam.ts, avcInter))
				}
				cam.ts += uint32(stall.Milliseconds()) - c.behind/40*40
				last := cam.ts + 50*40
				cam.runs(t, 50)
				v := cam.sent(t)[flv.Video]
				if got := v[len(v)-1]; got != last {
					t.Errorf("the last picture is at %d, its encoder says %d", got, last)
				}
			})
		})
	}
}
