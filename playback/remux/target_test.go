package remux

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"

	"relay/ingest/flv"
)

// targeted reads a playlist after each tag, as players that come at any time do.
type targeted struct {
	*follower
	targets  []string // that players have seen
	segments []string // how long each is, in seconds, with K if it begins with a picture to start at
	synced   []int    // numbers of the pictures that are marked as ones to start at
	pictures int
	next     map[int]uint64 // track: decoding time at which it has to go on
	pauses   bool           // it may go on later
}

// give has h take tags, and looks at what that changes.
func (p *targeted) give(h *HLS, tags ...flv.Tag) {
	p.Helper()
	if err := h.Write(flv.BatchOf(tags...)); err != nil {
		p.Fatal(err)
	}
	if h.made {
		p.see()
	}
}

// end looks at what there is when nothing more comes.
func (p *targeted) end(h *HLS) {
	p.Helper()
	if err := h.End(); err != nil {
		p.Fatal(err)
	}
	p.see()
}

func (p *targeted) see() {
	p.Helper()
	text := string(p.get(playlistName))
	target, lasts := 0, 0.0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if said, ok := strings.CutPrefix(line, "#EXT-X-TARGETDURATION:"); ok && !slices.Contains(p.targets, said) {
			p.targets = append(p.targets, said)
		}
		fmt.Sscanf(line, "#EXT-X-TARGETDURATION:%d", &target)
		fmt.Sscanf(line, "#EXTINF:%f,", &lasts)
		if line == "" || line[0] == '#' || p.had[line] {
			continue
		}
		p.had[line] = true
		if math.Round(lasts) > float64(target) {
			p.Errorf("a segment of %.3f s, where the target is %d s", lasts, target)
		}
		p.segments = append(p.segments, fmt.Sprintf("%.2f%s", lasts, p.media(line)))
	}
}

// media reads a segment, and returns K if it begins with a picture to start at.
func (p *targeted) media(name string) (mark string) {
	p.Helper()
	var parts fmp4.Parts
	if err := parts.Unmarshal(p.get(name)); err != nil {
		p.Fatal(err)
	}
	first := true
	for _, part := range parts {
		for _, tr := range part.Tracks {
			at, ok := p.next[tr.ID]
			if ok && tr.BaseTime != at && !(p.pauses && tr.BaseTime > at) {
				p.Errorf("%s: track %d goes on at %d, and had ended at %d", name, tr.ID, tr.BaseTime, at)
			}
			at = tr.BaseTime
			for _, s := range tr.Samples {
				at += uint64(s.Duration)
				if tr.ID != videoID {
					continue
				}
				if !s.IsNonSyncSample {
					p.synced = append(p.synced, p.pictures)
					if first {
						mark = "K"
					}
				}
				first = false
				p.pictures++
			}
			p.next[tr.ID] = at
		}
	}
	return mark
}

// TestTargetNeverChanges sends key frames at any distance. Players see one target, which no segment is longer than;
// segments follow each other without a gap, and pictures are marked as what they are.
func TestTargetNeverChanges(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	every := func(seconds, from, to float64) (at []float64) {
		for ; from < to; from += seconds {
			at = append(at, from)
		}
		return at
	}
	for name, c := range map[string]struct {
		keys     []float64 // seconds
		ends     int
		target   string
		segments string
		marked   []float64 // seconds of pictures to start at that are no key frames
	}{
		"every 2 s": {every(2, 0, 8), 8, "2", "2.00K 2.00K 2.00K 2.00K", nil},
		"further and further apart": {
			[]float64{0, 2, 4, 7, 17},
			19, "2",
			"2.00K 2.00K 2.48K 0.52 2.48K 2.48 2.48 2.48 0.08 2.00K", nil,
		},
		"closer": {[]float64{0, 4, 5, 6, 6.48, 7.48}, 8, "4", "4.00K 1.00K 1.00K 1.48K 0.52K", nil},
		"about every second": {
			[]float64{0, 1.04, 2, 2.96, 3.96, 5, 5.96}, 7, "1", "1.04K 0.96K 0.96K 1.00K 1.04K 0.96K 1.04K", nil,
		},
		"every half": {every(.52, 0, 4), 4, "1", "1.04K 1.04K 1.04K 0.88K", nil},
		"every 10 s": {every(10, 0, 30), 30, "6", "4.00K 6.00 6.48K 3.52 6.48K 3.52", nil},
		"one":        {[]float64{0}, 40, "6", "4.00K 6.48 6.48 6.48 6.48K 6.48K 3.60K", []float64{23.44, 29.92, 36.4}},
	} {
		t.Run(name, func(t *testing.T) {
			h := NewHLS()
			defer h.Close()
			p := &targeted{follower: follow(t, h), next: make(map[int]uint64)}
			const hz = 25
			meta := flv.Metadata{HasVideo: true, VideoCodec: "h264", FrameRate: hz}
			p.give(h, flv.NewTag(flv.Script, 0, meta.Body()), firstConfig(tags))
			want := []int{}
			for i := range hz * c.ends {
				is := func(s float64) bool { return int(math.Round(s*hz)) == i }
				key := slices.ContainsFunc(c.keys, is)
				if key || slices.ContainsFunc(c.marked, is) {
					want = append(want, i)
				}
				p.give(h, padded(uint32(i*1000/hz), key, 100))
			}
			p.end(h)
			if got := strings.Join(p.segments, " "); got != c.segments {
				t.Errorf("the segments are %s, want %s", got, c.segments)
			}
			if !slices.Equal(p.targets, []string{c.target}) {
				t.Errorf("the targets were %v, want %s", p.targets, c.target)
			}
			if !slices.Equal(p.synced, want) || p.pictures != hz*c.ends {
				t.Errorf("of %d pictures %v are to start at, want %v of %d", p.pictures, p.synced, want, hz*c.ends)
			}
		})
	}
}

// TestTargetOfSoundAloneIsASecond keeps players of radio as near as they can be.
func TestTargetOfSoundAloneIsASecond(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	h := NewHLS()
	defer h.Close()
	p := &targeted{follower: follow(t, h), next: make(map[int]uint64)}
	for _, tag := range tags {
		if tag.Type() != flv.Audio {
			continue
		}
		p.give(h, tag)
	}
	if len(p.segments) < 7 || !slices.Equal(p.targets, []string{"1"}) {
		t.Errorf("the segments are %v, the targets were %v", p.segments, p.targets)
	}
}

// TestPausesAreInNoSegment has no media come for longer than the target, with a key frame after that or without, and
// one picture every few seconds.
func TestPausesAreInNoSegment(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	for name, at := range map[string]func(i int) (seconds float64, key bool){
		"before a key frame":    func(i int) (float64, bool) { return float64(i)/25 + float64(i/100*9), i%50 == 0 },
		"before another":        func(i int) (float64, bool) { return float64(i)/25 + float64((i+20)/100*9), i%50 == 0 },
		"between all":           func(i int) (float64, bool) { return 4 * float64(i), i == 0 },
		"between all, all keys": func(i int) (float64, bool) { return 4 * float64(i), true },
		"from the second on":    func(i int) (float64, bool) { return float64(9*min(i, 1)) + float64(i)/25, i%50 == 0 },
	} {
		t.Run(name, func(t *testing.T) {
			h := NewHLS()
			defer h.Close()
			p := &targeted{follower: follow(t, h), next: make(map[int]uint64), pauses: true}
			p.give(h, firstConfig(tags))
			const pictures = 400
			for i := range pictures {
				seconds, key := at(i)
				p.give(h, padded(uint32(math.Round(1000*seconds)), key, 100))
			}
			p.end(h)
			if len(p.targets) != 1 || p.pictures != pictures {
				t.Errorf("the targets were %v, and there are %d pictures of %d", p.targets, p.pictures, pictures)
			}
			t.Logf("target %s: %v", p.targets, p.segments)
		})
	}
}
