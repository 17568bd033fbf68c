package flv

import (
	"math/rand/v2"
	"testing"
	"time"
)

// step is one tag: its track, its timestamp, and when it comes, in milliseconds.
type step struct {
	typ  Type
	in   int
	at   int
	want int
}

const (
	restarted = Type(0)
	a         = Audio
	v         = Video
)

func TestLiveTimeline(t *testing.T) {
	const wrap = 1 << 32
	for name, steps := range map[string][]step{
		"as it comes":                     {{v, 500, 0, 500}, {a, 510, 10, 510}, {v, 540, 40, 540}, {a, 533, 45, 533}},
		"3 s ahead of time":               {{v, 0, 0, 0}, {v, 40, 40, 40}, {v, 3080, 80, 73}, {v, 3120, 120, 113}},
		"10 s ahead of time":              {{v, 0, 0, 0}, {v, 40, 40, 40}, {v, 10_080, 80, 73}, {v, 10_120, 120, 113}},
		"within what muxers hold back":    {{v, 0, 0, 0}, {v, 1000, 0, 1000}, {v, 1040, 40, 1040}},
		"a stall of 3 s":                  {{v, 0, 0, 0}, {a, 3, 3, 3}, {v, 3040, 3040, 3040}, {a, 3050, 3050, 3050}},
		"a stall of 10 s":                 {{v, 0, 0, 0}, {v, 10_000, 10_000, 10_000}},
		"a stall and then all at once":    {{v, 0, 0, 0}, {v, 40, 5000, 40}, {v, 80, 5000, 80}, {v, 4900, 5000, 4900}, {a, 5900, 5000, 5900}},
		"a stall and then too much":       {{v, 0, 0, 0}, {v, 40, 5000, 40}, {v, 6041, 5000, 73}},
		"a stall that is long past":       {{v, 0, 0, 0}, {v, 40, 5000, 40}, {v, 5080, 10_040, 5080}, {v, 10_080, 15_040, 10_080}, {v, 15_080, 20_040, 15_080}, {v, 20_080, 25_040, 20_080}, {v, 23_120, 25_080, 20_113}},
		"taken for dead":                  {{v, 0, 0, 0}, {v, 10_001, 10_001, 33}},
		"sparse":                          {{v, 0, 0, 0}, {v, 5000, 4400, 5000}, {v, 10_000, 10_300, 10_000}, {v, 15_000, 14_900, 15_000}},
		"faster than time":                {{v, 0, 0, 0}, {v, 900, 1, 900}, {v, 1800, 2, 1800}, {v, 2700, 3, 2700}},
		"back":                            {{v, 5000, 0, 5000}, {v, 2000, 40, 5033}, {v, 2040, 80, 5073}},
		"back by little":                  {{v, 5000, 0, 5000}, {v, 4000, 40, 4000}, {v, 5040, 80, 5040}},
		"audio and video ahead":           {{v, 0, 0, 0}, {a, 0, 0, 0}, {v, 3040, 40, 33}, {a, 3023, 40, 16}, {v, 3080, 80, 73}, {a, 3046, 80, 39}},
		"sound from before the jump":      {{v, 0, 0, 0}, {a, 0, 0, 0}, {v, 3040, 40, 33}, {a, 23, 40, 23}, {v, 3080, 80, 73}, {a, 3046, 80, 39}},
		"audio and video back":            {{v, 5000, 0, 5000}, {a, 5000, 0, 5000}, {v, 40, 40, 5033}, {a, 23, 40, 5016}, {v, 80, 80, 5073}},
		"a jump that one track is within": {{a, 0, 0, 0}, {v, 100, 0, 100}, {a, 23, 40, 23}, {v, 1190, 40, 133}, {a, 1096, 40, 39}, {v, 1230, 80, 173}},
		"audio alone ahead":               {{v, 0, 0, 0}, {a, 0, 0, 0}, {a, 3023, 23, 33}, {v, 40, 40, 40}, {a, 3046, 46, 56}, {v, 80, 80, 80}},
		"audio alone back":                {{v, 5000, 0, 5000}, {a, 5000, 0, 5000}, {a, 2023, 23, 5033}, {v, 5040, 40, 5040}, {a, 2046, 46, 5056}, {v, 5080, 80, 5080}},
		"audio alone ahead, and home":     {{v, 0, 0, 0}, {a, 0, 0, 0}, {a, 3023, 23, 33}, {v, 40, 40, 40}, {a, 3046, 46, 56}, {a, 69, 69, 69}, {v, 80, 80, 80}},
		"audio alone, then a stall":       {{v, 5000, 0, 5000}, {a, 5000, 0, 5000}, {a, 2023, 23, 5033}, {v, 5040, 40, 5040}, {v, 8040, 3040, 8040}, {a, 5033, 3043, 8043}},
		"a restart at 0":                  {{v, 5000, 0, 5000}, {restarted, 0, 0, 0}, {a, 0, 8000, 5033}, {v, 10, 8000, 5043}, {v, 50, 8040, 5083}},
		"a restart, interleaved":          {{v, 5000, 0, 5000}, {restarted, 0, 0, 0}, {v, 100, 40, 5033}, {a, 80, 40, 5013}, {a, 20, 40, 5000}, {v, 140, 80, 5073}},
		"a restart and then a jump":       {{v, 5000, 0, 5000}, {restarted, 0, 0, 0}, {v, 0, 9000, 5033}, {v, 3040, 9040, 5066}},
		"wraps":                           {{v, wrap - 40, 0, wrap - 40}, {a, wrap - 20, 20, wrap - 20}, {v, 0, 40, 0}, {a, wrap - 10, 41, wrap - 10}, {v, 40, 80, 40}},
		"ahead over the wrap":             {{v, wrap - 40, 0, wrap - 40}, {v, 3000, 40, wrap - 7}, {v, 3040, 80, 33}},
		"a stall over the wrap":           {{v, wrap - 40, 0, wrap - 40}, {v, 2960, 3000, 2960}},
	} {
		t.Run(name, func(t *testing.T) {
			var line LiveTimeline
			start := time.Unix(1e9, 0)
			for i, s := range steps {
				if s.typ == restarted {
					line.Restart()
					continue
				}
				got := line.Map(s.typ, uint32(s.in), start.Add(time.Duration(s.at)*time.Millisecond))
				if got != uint32(s.want) {
					t.Errorf("tag %d, %d after %d ms: %d, want %d", i, s.in, s.at, got, uint32(s.want))
				}
			}
		})
	}
}

func TestWhatIsPlacedInALiveTimelineDoesNotSteer(t *testing.T) {
	now := time.Unix(1e9, 0)
	var line LiveTimeline
	for _, ts := range []uint32{0, 7} {
		if got := line.Place(ts, now); got != ts {
			t.Errorf("placed %d at %d", ts, got)
		}
	}
	// Media may begin anywhere, whatever its configurations are stamped.
	if got := line.Map(Video, 90_000, now); got != 90_000 {
		t.Errorf("the first picture at %d", got)
	}
	for _, c := range []struct{ in, want uint32 }{{0, 90_000}, {90_010, 90_010}, {89_500, 89_500}, {93_000, 90_010}} {
		if got := line.Place(c.in, now); got != c.want {
			t.Errorf("placed %d at %d, want %d", c.in, got, c.want)
		}
	}
	if got := line.Map(Video, 90_040, now.Add(40*time.Millisecond)); got != 90_040 {
		t.Errorf("the next picture at %d", got)
	}
	line.Restart()
	if got := line.Place(0, now); got != 90_040 {
		t.Errorf("a configuration of the next run at %d", got)
	}
	if got := line.Map(Audio, 0, now); got != 90_073 {
		t.Errorf("the sound of the next run at %d", got)
	}
	if got := line.Place(5, now); got != 90_078 {
		t.Errorf("a script of the next run at %d", got)
	}

	line = LiveTimeline{}
	line.Place(7000, now)
	if got := line.Map(Video, 5000, now); got != 7033 {
		t.Errorf("a picture that would go back at %d", got)
	}
}

// TestALiveTimelineKeepsToTime has encoders jump at random, with both tracks or with
// one, and restart: no track may go back, and what goes out may not run ahead of time
// by more than a jump's slack.
func TestALiveTimelineKeepsToTime(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		var line LiveTimeline
		start := time.Unix(1e9, 0)
		in := map[Type]uint32{Video: r.Uint32()}
		in[Audio] = in[Video]
		first := in[Video]
		last := map[Type]uint32{Video: first, Audio: first}
		jumps, clock := 0, 0
		line.Map(Video, first, start)
		for i := range 2000 {
			typ, every := Video, uint32(40)
			if i%2 == 1 {
				typ = Audio
			} else {
				clock += 40
			}
			in[typ] += every
			switch by := uint32(r.IntN(60_000) - 30_000); r.IntN(100) {
			case 3:
				in[Video] += by
				in[Audio] += by
				jumps++
			case 1:
				in[typ] += by
				jumps++
			case 2:
				line.Restart()
				in[Video] += by
				in[Audio] += by
				jumps++
			}
			out := line.Map(typ, in[typ], start.Add(time.Duration(clock)*time.Millisecond))
			if back := int32(out - last[typ]); back < -interleave {
				t.Fatalf("seed %d, tag %d: back by %d", seed, i, -back)
			}
			last[typ] = later(last[typ], out)
			// Each jump may be one that is within bounds, or a step of the join.
			if ahead := int32(out - first - uint32(clock)); ahead > int32(jumps+1)*(hurry+2*restartStep) {
				t.Fatalf("seed %d, tag %d: %d ms ahead of time after %d jumps", seed, i, ahead, jumps)
			}
		}
	}
}
