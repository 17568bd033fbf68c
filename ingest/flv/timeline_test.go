package flv

import (
	"math/rand/v2"
	"testing"
)

func TestTimeline(t *testing.T) {
	const restart, gap = -1, -2
	wrap := func(n int) int { return n + 1<<32 }
	for name, c := range map[string]struct{ in, want []int }{
		"identity":            {[]int{500, 533, 520, 600}, []int{500, 533, 520, 600}},
		"small step back":     {[]int{5000, 4000, 5040}, []int{5000, 4000, 5040}},
		"jump back":           {[]int{5000, 3999, 4039}, []int{5000, 5033, 5073}},
		"jump ahead":          {[]int{5000, 15_001, 15_041}, []int{5000, 5033, 5073}},
		"long silence":        {[]int{5000, 15_000}, []int{5000, 15_000}},
		"restart at 0":        {[]int{5000, 5040, restart, 0, 40}, []int{5000, 5040, 5073, 5113}},
		"restart ahead":       {[]int{5000, restart, 6000, 6040}, []int{5000, 5033, 5073}},
		"interleave on start": {[]int{5000, restart, 100, 80, 20, 140}, []int{5000, 5033, 5013, 5000, 5073}},
		"restart twice":       {[]int{5000, restart, restart, 0, restart, 0}, []int{5000, 5033, 5066}},
		"restart before":      {[]int{restart, 70}, []int{70}},
		"starts below 1 s":    {[]int{10, 0}, []int{10, 0}},
		"wraps":               {[]int{wrap(-40), wrap(-20), 0, wrap(-10), 20}, []int{wrap(-40), wrap(-20), 0, wrap(-10), 20}},
		"gap":                 {[]int{5000, gap, 65_000, 65_040, 75_041}, []int{5000, 65_000, 65_040, 65_073}},
		"gap, then back":      {[]int{5000, gap, 3000}, []int{5000, 5033}},
		"gap and restart":     {[]int{5000, gap, restart, 65_000}, []int{5000, 5033}},
		"gap over the wrap":   {[]int{wrap(-40), gap, 60_000}, []int{wrap(-40), 60_000}},
		"restart over a wrap": {[]int{wrap(-10), restart, 0, 40}, []int{wrap(-10), 23, 63}},
	} {
		var line Timeline
		var got []int
		for _, in := range c.in {
			switch in {
			case restart:
				line.Restart()
				continue
			case gap:
				line.Gap()
				continue
			}
			got = append(got, int(line.Map(uint32(in))))
		}
		for i := range c.want {
			if got[i] != c.want[i] {
				t.Errorf("%s: %d, want %d", name, got, c.want)
				break
			}
		}
	}
}

func TestPlacedTagsDoNotSteer(t *testing.T) {
	var line Timeline
	line.Place(0)
	line.Map(5000)
	for _, c := range []struct{ in, want uint32 }{{0, 5000}, {5010, 5010}, {4500, 4500}, {90_000, 5010}} {
		if got := line.Place(c.in); got != c.want {
			t.Errorf("placed %d at %d, want %d", c.in, got, c.want)
		}
	}
	if got := line.Map(5040); got != 5040 {
		t.Errorf("media at %d", got)
	}
	line.Restart()
	if got := line.Place(0); got != 5040 {
		t.Errorf("configuration of the next run at %d", got)
	}
	if got := line.Map(0); got != 5073 {
		t.Errorf("media of the next run at %d", got)
	}
}

func TestTimelineNeverGoesBackOverARestart(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		var line Timeline
		in := r.Uint32()
		largest := line.Map(in)
		floor := largest - interleave
		for i := range 500 {
			switch r.IntN(50) {
			case 0:
				in = r.Uint32()
				line.Restart()
				floor = largest
			default:
				in += uint32(r.IntN(60))
			}
			var out uint32
			if r.IntN(5) == 0 {
				out = line.Place(in)
			} else {
				out = line.Map(in - uint32(r.IntN(500)))
			}
			if int32(out-floor) < 0 {
				t.Fatalf("seed %d, tag %d: %d is below %d", seed, i, out, floor)
			}
			largest = later(largest, out)
		}
	}
}
