//go:build e2e && linux

package main

import (
	"bytes"
	"net"
	"slices"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/playback/remux"
)

const testClip = "../../demo/demo.flv"

// published is what a publisher has sent, for tests.
func publishedTags(t *testing.T, n int) *history {
	t.Helper()
	c, err := openClip(testClip, 3_100_000)
	if err != nil {
		t.Fatal(err)
	}
	h := newHistory(c, n)
	for i := range n {
		h.add(c.tag(i))
	}
	return h
}

// tagsFrom are the tags of a viewer who gets everything from number first on.
func tagsFrom(h *history, first int) (tags []flv.Tag) {
	for _, s := range h.tags[first:] {
		tags = append(tags, s.tag)
	}
	return tags
}

// flvOf is what an FLV viewer gets.
func flvOf(h *history, tags []flv.Tag) []byte {
	return slices.Concat(h.clip.head(), bytes.Join(slices.Collect(func(yield func([]byte) bool) {
		for _, t := range tags {
			if !yield(t) {
				return
			}
		}
	}), nil))
}

// rtmpOf is what a player gets, with timestamps of the server's own.
func rtmpOf(h *history, tags []flv.Tag) []byte {
	b := chunked(nil, controlStream, setChunkSize, 0, 0, []byte{0, 0, publishChunk >> 8, publishChunk & 0xff}, defaultChunk)
	for _, t := range slices.Concat(h.clip.configs, tags) {
		t = slices.Clone(t)
		flv.PutTimestamp(t, t.Timestamp()+77)
		b = published(b, t)
	}
	return b
}

// fed feeds a parser with pieces of a size and returns the numbers of the tags that it lets pass.
func fed(t *testing.T, p parser, b []byte, size int) (numbers []int) {
	t.Helper()
	for piece := range slices.Chunk(b, size) {
		if err := p.feed(piece, func(n int) { numbers = append(numbers, n) }); err != nil {
			t.Fatal(err)
		}
	}
	return numbers
}

func TestAnExactStreamIsExactInPiecesOfAnySize(t *testing.T) {
	h := publishedTags(t, 200)
	tags := tagsFrom(h, 20)
	for _, size := range []int{1, 2, 3, 7, 13, 4096, 10_000, 1 << 20} {
		for name, b := range map[string][]byte{"FLV": flvOf(h, tags), "RTMP": rtmpOf(h, tags)} {
			c := &check{sent: h, retimed: name == "RTMP"}
			var p parser = &flvParser{check: c}
			if c.retimed {
				p = newRTMPParser(c)
			}
			numbers := fed(t, p, b, size)
			if f := c.verdict(20, 200); f != (flaws{}) || len(numbers) != len(tags) {
				t.Errorf("%s in pieces of %d: %v, %d tags of %d", name, size, f, len(numbers), len(tags))
			}
		}
	}
}

func TestWhatIsNotExactIsFound(t *testing.T) {
	h := publishedTags(t, 100)
	other := func(t flv.Tag, change func(body []byte)) flv.Tag {
		t = slices.Clone(t)
		change(t.Body())
		return t
	}
	last := func(b []byte) { b[len(b)-1] ^= 1 }
	longest := slices.IndexFunc(h.tags, func(s sent) bool { return len(s.tag) > 20_000 })
	for _, tt := range []struct {
		name   string
		change func(tags []flv.Tag) []flv.Tag
		want   flaws
	}{
		{"one lost", func(g []flv.Tag) []flv.Tag { return slices.Delete(g, 40, 41) }, flaws{lost: 1}},
		{"the last lost", func(g []flv.Tag) []flv.Tag { return g[:len(g)-2] }, flaws{lost: 2}},
		{"the first lost", func(g []flv.Tag) []flv.Tag { return g[3:] }, flaws{lost: 3}},
		{"all lost", func([]flv.Tag) []flv.Tag { return nil }, flaws{lost: 100}},
		{"doubled", func(g []flv.Tag) []flv.Tag { return slices.Insert(g, 41, g[40]) }, flaws{doubled: 1}},
		{"long ago and again", func(g []flv.Tag) []flv.Tag { return slices.Insert(g, 90, g[2]) }, flaws{doubled: 1}},
		{"out of order", func(g []flv.Tag) []flv.Tag { g[40], g[41] = g[41], g[40]; return g }, flaws{reordered: 1}},
		{"altered at its end", func(g []flv.Tag) []flv.Tag { g[40] = other(g[40], last); return g }, flaws{altered: 1}},
		{"altered in the middle of a long one", func(g []flv.Tag) []flv.Tag {
			g[longest] = other(g[longest], func(b []byte) { b[15_000] ^= 0x80 })
			return g
		}, flaws{altered: 1}},
		{"altered at its start", func(g []flv.Tag) []flv.Tag { g[40] = other(g[40], func(b []byte) { b[0] ^= 0x20 }); return g }, flaws{altered: 1}},
		{"cut short", func(g []flv.Tag) []flv.Tag {
			b := g[40].Body()
			g[40] = flv.NewTag(g[40].Type(), g[40].Timestamp(), b[:len(b)-1])
			return g
		}, flaws{altered: 1}},
		{"other timestamp", func(g []flv.Tag) []flv.Tag {
			g[40] = flv.NewTag(g[40].Type(), g[40].Timestamp()+1, g[40].Body())
			return g
		}, flaws{altered: 1}},
		{"nobody's", func(g []flv.Tag) []flv.Tag {
			return slices.Insert(g, 40, flv.NewTag(flv.Audio, g[40].Timestamp(), []byte{0xaf, 1, 0x21, 0x10, 4, 0x60, 0x8c, 0x1c}))
		}, flaws{foreign: 1}},
		{"not sent yet", func(g []flv.Tag) []flv.Tag { return append(g, h.clip.tag(100)) }, flaws{foreign: 1}},
		{"configured again", func(g []flv.Tag) []flv.Tag { return slices.Insert(g, 40, h.clip.configs[1]) }, flaws{foreign: 1}},
	} {
		c := &check{sent: h}
		fed(t, &flvParser{check: c}, flvOf(h, tt.change(tagsFrom(h, 0))), 1000)
		if got := c.verdict(0, 100); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// containers returns what relay makes of tags, and a viewer of that.
var containers = map[string]struct {
	convert func() func(flv.Batch) (net.Buffers, error)
	parser  func(*check) parser
	annexB  bool
}{
	"MP4":     {func() func(flv.Batch) (net.Buffers, error) { return remux.NewMP4().Convert }, func(c *check) parser { return &mp4Parser{check: c} }, false},
	"MPEG-TS": {func() func(flv.Batch) (net.Buffers, error) { return remux.NewTS().Convert }, func(c *check) parser { return newTSParser(c) }, true},
}

func TestContainersAreCheckedFrameByFrame(t *testing.T) {
	h := publishedTags(t, 200)
	first := slices.IndexFunc(h.tags, func(s sent) bool { return flv.Classify(s.tag).Key })
	for name, as := range containers {
		for _, tt := range []struct {
			name   string
			change func(tags []flv.Tag) []flv.Tag
			want   flaws
		}{
			{"as sent", func(g []flv.Tag) []flv.Tag { return g }, flaws{}},
			{"one lost", func(g []flv.Tag) []flv.Tag { return slices.Delete(g, 40, 41) }, flaws{lost: 1}},
			{"the last lost", func(g []flv.Tag) []flv.Tag { return g[:len(g)-1] }, flaws{lost: 1}},
			{"altered", func(g []flv.Tag) []flv.Tag {
				at := 40 + slices.IndexFunc(g[40:], func(t flv.Tag) bool { return t.Type() == flv.Video })
				g[at] = slices.Clone(g[at])
				g[at].Body()[1500] ^= 0x80
				return g
			}, flaws{altered: 1}},
		} {
			convert := as.convert()
			b, err := convert(flv.HeaderBatch(h.clip.head()))
			if err != nil {
				t.Fatal(err)
			}
			stream := bytes.Join(b, nil)
			for tags := range slices.Chunk(tt.change(tagsFrom(h, first)), 5) {
				if b, err = convert(flv.BatchOf(tags...)); err != nil {
					t.Fatal(err)
				}
				stream = append(stream, bytes.Join(b, nil)...)
			}
			for _, size := range []int{1, 187, 188, 5000, 1 << 20} {
				c := &check{sent: h, frames: true, annexB: as.annexB}
				fed(t, as.parser(c), stream, size)
				if got := c.verdict(first, 200); got != tt.want {
					t.Errorf("%s in pieces of %d, %s: %v, want %v", name, size, tt.name, got, tt.want)
				}
			}
		}
	}
}

func TestMediaWithoutConfigurationAreFound(t *testing.T) {
	h := publishedTags(t, 10)
	c := &check{sent: h}
	fed(t, &flvParser{check: c}, flvOf(h, tagsFrom(h, 0))[:flv.FileHeaderLen], 1000)
	p := &flvParser{check: c, part: tagHead}
	for _, tag := range tagsFrom(h, 0) {
		fed(t, p, tag, 1000)
	}
	if got, want := c.verdict(0, 10), (flaws{bare: 2}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestOfLostTagsThatComeLaterNoneIsLost(t *testing.T) {
	h := publishedTags(t, 100)
	g := tagsFrom(h, 0)
	late := slices.Clone(g[40:43])
	c := &check{sent: h}
	fed(t, &flvParser{check: c}, flvOf(h, slices.Insert(slices.Delete(g, 40, 43), 50, late...)), 1000)
	if got, want := c.verdict(0, 100), (flaws{reordered: 3}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestATrailerThatIsWrongIsAnError(t *testing.T) {
	h := publishedTags(t, 10)
	b := flvOf(h, tagsFrom(h, 0))
	b[len(b)-1] ^= 1
	if err := (&flvParser{check: &check{sent: h}}).feed(b, func(int) {}); err == nil {
		t.Error("it passes")
	}
}

func TestQuantiles(t *testing.T) {
	var ds []time.Duration
	for i := range 1000 {
		ds = append(ds, time.Duration((i*377)%1000))
	}
	for q, want := range map[float64]time.Duration{0: 0, .5: 500, .99: 990, 1: 999} {
		if got := quantile(ds, q); got != want {
			t.Errorf("quantile %g is %d, want %d", q, got, want)
		}
	}
	if got := quantile(nil, .5); got != 0 {
		t.Errorf("of nothing: %d", got)
	}
	for _, tt := range []struct {
		of   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{5, 1}, 3}, {[]float64{9, 1, 2}, 2}} {
		if got := median(tt.of); got != tt.want {
			t.Errorf("median of %v is %g, want %g", tt.of, got, tt.want)
		}
	}
}
