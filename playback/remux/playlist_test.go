package remux

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"
)

// listed reads the segments and the discontinuities of a playlist.
func listed(t *testing.T, text string) (names []string, first uint64, breaks int) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#EXT-X-MEDIA-SEQUENCE:"):
			if _, err := fmt.Sscanf(line, "#EXT-X-MEDIA-SEQUENCE:%d", &first); err != nil {
				t.Fatal(err)
			}
		case strings.HasPrefix(line, "#EXT-X-DISCONTINUITY-SEQUENCE:"):
			if _, err := fmt.Sscanf(line, "#EXT-X-DISCONTINUITY-SEQUENCE:%d", &breaks); err != nil {
				t.Fatal(err)
			}
		case line != "" && line[0] != '#':
			names = append(names, line)
		}
	}
	return names, first, breaks
}

func TestPlaylistIsAsTheSpecificationHasIt(t *testing.T) {
	began := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	small, large := &initialization{number: 7, boxes: newResource(net.Buffers{[]byte("small")})}, &initialization{number: 9, boxes: newResource(net.Buffers{[]byte("large")})}
	p := playlist{target: 4 * time.Second}
	p.add(segment{number: 7, init: small, began: began, lasts: 1960 * time.Millisecond, media: newResource(net.Buffers{[]byte("a")})})
	p.add(segment{number: 8, init: small, began: began.Add(1960 * time.Millisecond), lasts: 4040 * time.Millisecond, media: newResource(net.Buffers{[]byte("b")})})
	p.add(segment{number: 9, init: large, breaks: true, began: began.Add(6 * time.Second), lasts: time.Second, media: newResource(net.Buffers{[]byte("c")})})
	p.ended = true
	want := `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:4
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI="init-7.mp4"
#EXT-X-PROGRAM-DATE-TIME:2027-03-01T12:00:00.000Z
#EXTINF:1.960,
7.mp4
#EXT-X-PROGRAM-DATE-TIME:2027-03-01T12:00:01.960Z
#EXTINF:4.040,
8.mp4
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init-9.mp4"
#EXT-X-PROGRAM-DATE-TIME:2027-03-01T12:00:06.000Z
#EXTINF:1.000,
9.mp4
#EXT-X-ENDLIST
`
	if got := p.text(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for name, want := range map[string]string{"init-7.mp4": "small", "init-9.mp4": "large", "8.mp4": "b", "10.mp4": "", "": "", "index.m3u8": ""} {
		got := ""
		if m := p.file(name); m != nil {
			got = string(joined(m.parts))
		}
		if got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

// TestSegmentsLeaveThePlaylistInOrder adds segments of any length and size. Numbers count on,
// nothing comes back, what is named can be had, and so can what was named one segment ago.
func TestSegmentsLeaveThePlaylistInOrder(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 50 {
		p := playlist{target: time.Duration(1+rnd.IntN(6)) * time.Second}
		size := rnd.IntN(1000)
		if rnd.IntN(4) == 0 {
			size = hlsBytes / (1 + rnd.IntN(8))
		}
		media := newResource(net.Buffers{make([]byte, size)})
		init := &initialization{number: 100}
		var last []string
		newest, passed, gone, before := uint64(99), 0, 0, uint64(0)
		breaks := make(map[string]bool)
		for range 200 {
			newest++
			s := segment{number: newest, init: init, lasts: time.Duration(rnd.Int64N(int64(p.target))), media: media, breaks: rnd.IntN(5) == 0}
			if s.breaks {
				s.init = &initialization{number: newest}
				init = s.init
			}
			breaks[s.name()] = s.breaks
			p.add(s)
			names, first, discontinuities := listed(t, p.text())
			if first < before || names[0] != (segment{number: first}).name() || names[len(names)-1] != s.name() {
				t.Fatalf("after %d it begins with %d, %v", before, first, names)
			}
			for ; before != 0 && before < first; before++ {
				if breaks[(segment{number: before}).name()] {
					gone++
				}
			}
			before = first
			if discontinuities != gone {
				t.Fatalf("%d discontinuities have passed, want %d", discontinuities, gone)
			}
			for _, n := range names {
				if p.file(n) == nil {
					t.Fatalf("%s is named and not there", n)
				}
			}
			for _, n := range last {
				if p.file(n) == nil && p.size+size <= hlsBytes {
					t.Fatalf("%s was named one segment ago and is not there", n)
				}
			}
			last = names
			total := time.Duration(0)
			for _, s := range p.segments[p.spare:] {
				total += s.lasts
			}
			if full := p.size+size <= hlsBytes; full && passed >= hlsMost && (len(names) < hlsSegments || total < hlsTargets*p.target && len(names) < hlsMost) {
				t.Fatalf("%d segments last %v in all, the target is %v", len(names), total, p.target)
			}
			passed++
			if p.size > hlsBytes && len(p.segments) > hlsLeast {
				t.Fatalf("%d segments take %d bytes", len(p.segments), p.size)
			}
		}
	}
}
