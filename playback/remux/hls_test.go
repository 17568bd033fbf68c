package remux

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"

	"relay/ingest/flv"
)

// follower is a player that reads the playlist whenever it may have changed.
type follower struct {
	*testing.T
	hls             *HLS
	had             map[string]bool
	init            string
	text            string // of the playlist
	pictures, sound int    // frames
	parts           int    // initializations
	bytes           int
}

func follow(t *testing.T, h *HLS) *follower {
	return &follower{T: t, hls: h, had: make(map[string]bool)}
}

func (f *follower) get(name string) []byte {
	f.Helper()
	w := httptest.NewRecorder()
	f.hls.ServeHTTP(w, httptest.NewRequestWithContext(f.Context(), "GET", "/hls/x/"+name, nil))
	if w.Code != http.StatusOK {
		f.Fatalf("%s: %d %s", name, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

// read takes what is new.
func (f *follower) read() {
	f.Helper()
	f.text = string(f.get("index.m3u8"))
	init := ""
	for line := range strings.Lines(f.text) {
		line = strings.TrimSpace(line)
		if uri, ok := strings.CutPrefix(line, "#EXT-X-MAP:URI="); ok {
			init = strings.Trim(uri, `"`)
		} else if line != "" && line[0] != '#' && !f.had[line] {
			f.had[line] = true
			f.begin(init)
			b := f.get(line)
			f.bytes += len(b)
			var parts fmp4.Parts
			if err := parts.Unmarshal(b); err != nil {
				f.Fatalf("%s: %v", line, err)
			}
			for _, p := range parts {
				for _, tr := range p.Tracks {
					if tr.ID == 1 {
						f.pictures += len(tr.Samples)
					} else {
						f.sound += len(tr.Samples)
					}
				}
			}
		}
	}
}

// begin takes the initialization of the segment that comes next.
func (f *follower) begin(init string) {
	f.Helper()
	if init == f.init {
		return
	}
	f.init = init
	f.parts++
	var i fmp4.Init
	if err := i.Unmarshal(bytes.NewReader(f.get(init))); err != nil {
		f.Fatal(err)
	}
}

// padded is a picture, or half of one, of so many bytes.
func padded(ts uint32, key bool, size int) flv.Tag {
	body := make([]byte, 5+4+size)
	body[0], body[1] = 0x27, 1
	body[9] = 0x41
	if key {
		body[0], body[9] = 0x17, 0x65
	}
	binary.BigEndian.PutUint32(body[5:], uint32(size))
	return flv.NewTag(flv.Video, ts, body)
}

// TestSegmentsAreBounded sends more than a segment may take: at a high rate with few key frames,
// and with one key frame and no other. Every frame is in a segment once, and what is kept is bounded.
func TestSegmentsAreBounded(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	const hz = 25
	for name, c := range map[string]struct{ size, every, seconds int }{
		"40 Mb/s and a key frame every 4 s": {40_000_000 / 8 / hz, 4 * hz, 20},
		"80 Mb/s and one key frame":         {80_000_000 / 8 / hz, 1 << 30, 10},
		"little, and one key frame":         {100, 1 << 30, 40},
		"a key frame every 10 s":            {100, 10 * hz, 40},
	} {
		t.Run(name, func(t *testing.T) {
			h := NewHLS()
			defer h.Close()
			f := follow(t, h)
			if err := h.Write(flv.BatchOf(firstConfig(tags))); err != nil {
				t.Fatal(err)
			}
			for i := range hz * c.seconds {
				if err := h.Write(flv.BatchOf(padded(uint32(i*1000/hz), i%c.every == 0, c.size))); err != nil {
					t.Fatal(err)
				}
				if h.made {
					f.read()
				}
				if h.list.size > hlsBytes+hlsSegmentBytes || h.part.size > hlsSegmentBytes {
					t.Fatalf("picture %d: %d bytes are kept, and %d", i, h.list.size, h.part.size)
				}
			}
			if err := h.End(); err != nil {
				t.Fatal(err)
			}
			f.read()
			if f.pictures != hz*c.seconds || f.parts != 1 {
				t.Errorf("%d pictures in %d parts, want %d in 1", f.pictures, f.parts, hz*c.seconds)
			}
			t.Logf("%d segments, %d bytes kept", len(f.had), h.list.size)
		})
	}
}

// TestAnotherSizeIsADiscontinuity changes the configuration and nothing else: players get each
// frame, and begin anew in between.
func TestAnotherSizeIsADiscontinuity(t *testing.T) {
	_, small := clip(t, "demo.flv")
	_, other := clip(t, "video.flv")
	h := NewHLS()
	defer h.Close()
	f := follow(t, h)
	pictures := 0
	for i, tags := range [][]flv.Tag{small, other, small, small} {
		begins := []uint32{0, 20_000, 40_000, 48_000}[i] // ms; the last goes on from the one before
		for _, tag := range tags {
			if tag.Type() == flv.Script {
				continue // it would tell of no sound
			}
			if c, ok := flv.Decode(tag); ok && tag.Type() == flv.Video && !c.Config {
				pictures++
			}
			moved := bytes.Clone(tag)
			flv.PutTimestamp(moved, tag.Timestamp()+begins)
			if err := h.Write(flv.BatchOf(moved)); err != nil {
				t.Fatal(err)
			}
			if h.made {
				f.read()
			}
		}
	}
	if err := h.End(); err != nil {
		t.Fatal(err)
	}
	f.read()
	if f.pictures != pictures || f.parts != 3 {
		t.Errorf("%d pictures in %d parts, want %d in 3", f.pictures, f.parts, pictures)
	}
	if !strings.Contains(f.text, "#EXT-X-DISCONTINUITY-SEQUENCE:2\n") {
		t.Errorf("no two discontinuities have passed:\n%s", f.text)
	}
}

// TestSegmentsEndWithoutPictures stops the pictures for a while, then everything.
func TestSegmentsEndWithoutPictures(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	h := NewHLS()
	defer h.Close()
	f := follow(t, h)
	sound := 0
	for round := range 2 { // of 8 s
		for _, tag := range tags {
			c, ok := flv.Decode(tag)
			frame, at := ok && !c.Config, tag.Timestamp()+uint32(round)*8000
			switch {
			case !frame && round > 0, frame && tag.Type() == flv.Video && at >= 4000:
				continue
			case frame && tag.Type() == flv.Audio:
				sound++
			}
			moved := bytes.Clone(tag)
			flv.PutTimestamp(moved, at)
			if err := h.Write(flv.BatchOf(moved)); err != nil {
				t.Fatal(err)
			}
			if h.made {
				f.read()
			}
		}
	}
	if n := len(f.had); n < 10 {
		t.Errorf("%d segments of 16 s, of which 4 s have pictures", n)
	}
	if err := h.Cut(); err != nil { // as when nothing comes for a while
		t.Fatal(err)
	}
	f.read()
	if f.sound != sound {
		t.Errorf("%d frames of sound, want %d", f.sound, sound)
	}
	if strings.Contains(f.text, "#EXT-X-ENDLIST") {
		t.Error("it has ended")
	}
	if err := h.End(); err != nil {
		t.Fatal(err)
	}
	f.read()
	if !strings.HasSuffix(f.text, "#EXT-X-ENDLIST\n") {
		t.Errorf("it has not ended:\n%s", f.text)
	}
}

// TestHLSAnswersInWords asks for what there is not, in parts, and after the end.
func TestHLSAnswersInWords(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	h := NewHLS()
	if err := h.Write(flv.BatchOf(tags...)); err != nil {
		t.Fatal(err)
	}
	f := follow(t, h)
	f.read()
	ask := func(name, span string) *http.Response {
		w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/hls/x/"+name, nil)
		if span != "" {
			r.Header.Set("Range", span)
		}
		h.ServeHTTP(w, r)
		return w.Result()
	}
	for name := range f.had {
		if r := ask(name, "bytes=0-7"); r.StatusCode != http.StatusPartialContent || r.ContentLength != 8 || r.Header.Get("Content-Type") != "video/mp4" {
			t.Errorf("a part of a segment: %d, %d bytes of %s", r.StatusCode, r.ContentLength, r.Header.Get("Content-Type"))
		}
	}
	if r := ask("index.m3u8", ""); r.Header.Get("Content-Type") != "application/vnd.apple.mpegurl" || r.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("the playlist: %v", r.Header)
	}
	h.Close()
	for _, name := range []string{"index.m3u8", "1.mp4", "init-1.mp4", "..", "%2e%2e"} {
		r := ask(name, "")
		if text, _ := io.ReadAll(r.Body); r.StatusCode != http.StatusNotFound || !strings.Contains(string(text), "index.m3u8") {
			t.Errorf("%s: %d %s", name, r.StatusCode, text)
		}
	}
}

// TestFilesAreReadFromTheirParts reads files of parts of any length from any place, and, once the
// playlist has forgotten one, no more of it.
func TestFilesAreReadFromTheirParts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 100 {
		var parts net.Buffers
		for range rnd.IntN(30) {
			b := make([]byte, rnd.IntN(10)<<rnd.IntN(11))
			for i := range b {
				b[i] = byte(rnd.Uint32())
			}
			parts = append(parts, b)
		}
		want := joined(parts)
		m := newResource(packed(parts))
		if len(m.parts) > 2*(len(want)/(4<<10))+1 {
			t.Errorf("%d bytes are in %d parts", len(want), len(m.parts))
		}
		h := NewHLS()
		r := io.NewSectionReader(&file{h, m}, 0, int64(m.size))
		if err := iotest.TestReader(r, want); err != nil {
			t.Fatal(err)
		}
		h.list.add(segment{init: &initialization{}, media: m})
		h.list.drop()
		if n, err := r.ReadAt(make([]byte, 1), 0); n != 0 || err != io.EOF {
			t.Errorf("%d bytes of a file that is forgotten, %v", n, err)
		}
		h.Close()
	}
}
