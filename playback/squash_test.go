package playback

import (
	"bytes"
	"slices"
	"testing"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// offsets gives a tag's picture a composition time offset.
func withOffset(tag flv.Tag, ms byte) flv.Tag {
	tag = bytes.Clone(tag)
	tag[flv.TagHeaderLen+4] = ms
	return tag
}

func TestSquashedStartEndsAtTheLiveTimestamp(t *testing.T) {
	s := newSource(t, stream.Limits{})
	ts := s.group(1000)
	s.group(ts) // the newest: 10 pictures, 9 audio frames
	s.flush()
	before := len(s.tags)
	f := watching(s.ring, Squash)
	got := parse(t, see(t, f))[2:] // after the header's own
	pictures := s.tags[s.keys[1]:before]
	pictures = slices.DeleteFunc(slices.Clone(pictures), func(tag flv.Tag) bool { return tag.Type() != flv.Video })
	if len(got) != len(pictures) {
		t.Fatalf("%d tags, want the %d pictures and no sound", len(got), len(pictures))
	}
	live := pictures[len(pictures)-1].Timestamp()
	for i, tag := range got {
		if want := live - uint32(len(got)-1-i); tag.Timestamp() != want {
			t.Errorf("picture %d is at %d ms, want %d", i, tag.Timestamp(), want)
		}
		if !bytes.Equal(tag.Body(), pictures[i].Body()) {
			t.Errorf("picture %d has another body", i)
		}
	}

	// What comes after is as it was sent, sound included.
	s.group(live + 33)
	s.flush()
	after := parse(t, see(t, f))
	if !slices.EqualFunc(after, s.tags[before:], func(a, b flv.Tag) bool { return bytes.Equal(a, b) }) {
		t.Fatalf("%d tags after the start, want the %d that were sent", len(after), len(s.tags)-before)
	}
}

func TestSquashedPicturesAreShownAsTheyCome(t *testing.T) {
	s := newSource(t, stream.Limits{})
	for i := range 5 {
		first := byte(0x27)
		if i == 0 {
			first = 0x17
		}
		tag := withOffset(flv.NewTag(flv.Video, uint32(i)*40, s.body(100, first, 1, 0, 0, 0)), 80)
		flags := stream.EndsChunk
		if i == 0 {
			flags |= stream.StartHere
		}
		s.write(tag, flags)
	}
	f := watching(s.ring, Squash)
	for i, tag := range parse(t, see(t, f))[2:] {
		if c, ok := flv.Decode(tag); !ok || c.Offset != 0 {
			t.Errorf("picture %d is shown %d ms late", i, c.Offset)
		}
	}
	s.write(withOffset(flv.NewTag(flv.Video, 200, s.body(100, 0x27, 1, 0, 0, 0)), 80), stream.EndsChunk)
	last := parse(t, see(t, f))
	if c, ok := flv.Decode(last[0]); !ok || c.Offset != 80 {
		t.Errorf("the picture after them is shown %d ms late, want 80", c.Offset)
	}
	for _, it := range s.chunks() {
		for tag := range flv.Tags(it.Chunk.Payload()) {
			if c, ok := flv.Decode(tag); !ok || c.Offset != 80 {
				t.Fatal("the ring's own bytes were changed")
			}
		}
	}
}

func TestSquashedStartInTheMiddleOfATag(t *testing.T) {
	s := newSource(t, stream.Limits{})
	ts := s.group(0)
	s.frame(ts, 5*stream.MaxPayload)
	items := s.chunks()
	ring := stream.NewRing(stream.Limits{})
	pass(t, ring, items[:len(items)-2]) // the last tag has begun
	f := watching(ring, Squash)
	got := see(t, f)
	pass(t, ring, items[len(items)-2:])
	got = append(got, see(t, f)...)
	tags := parse(t, got)[2:]
	if len(tags) != 11 {
		t.Fatalf("%d pictures, want 11", len(tags))
	}
	for i, tag := range tags {
		want := ts - 33 - uint32(9-i) // the ten that were whole
		if i == 10 {
			want = ts
		}
		if tag.Timestamp() != want {
			t.Errorf("picture %d is at %d ms, want %d", i, tag.Timestamp(), want)
		}
	}
}

func TestSquashNeverGoesBack(t *testing.T) {
	s := newSource(t, stream.Limits{})
	s.keyframe(5, 100)
	for range 20 { // a source that stamps all alike
		s.frame(5, 100)
	}
	for i, tag := range parse(t, see(t, watching(s.ring, Squash)))[2:] {
		if tag.Timestamp() != 5 {
			t.Fatalf("picture %d is at %d ms, want 5", i, tag.Timestamp())
		}
	}
}

func TestReaderThatFellBehindIsSquashedToLive(t *testing.T) {
	for _, start := range []Start{Squash, GOP} {
		t.Run(start.String(), func(t *testing.T) {
			s := newSource(t, stream.Limits{Bytes: 100_000})
			ts := s.group(0)
			s.flush()
			r := newReel(s.ring, flvForm, start == GOP)
			slow, other := newPlace(r, start), newPlace(r, start)
			first := parse(t, see(t, slow))[2:]
			see(t, other)
			had := s.ring.Head()
			for range 3 {
				ts = s.group(ts)
				s.flush()
				see(t, other)
			}
			var key stream.Position // the newest
			for _, it := range s.chunks() {
				if it.Chunk.Has(stream.Key) {
					key = it.Chunk.Position()
				}
			}
			if oldest := s.ring.Oldest(); oldest.Seq <= had.Seq+1 {
				t.Fatalf("the ring still holds chunk %d, so nobody is behind", oldest.Seq)
			}
			rest := parse(t, see(t, slow))
			pictures := 0
			newest := first[len(first)-1].Timestamp()
			for i, tag := range rest {
				if tag.Type() == flv.Video {
					pictures++
				}
				if tag.Timestamp() < newest {
					t.Fatalf("tag %d goes back to %d ms from %d", i, tag.Timestamp(), newest)
				}
				newest = tag.Timestamp()
			}
			if pictures != 10 || start == Squash && len(rest) != pictures {
				t.Fatalf("%d tags after the gap, %d of them pictures; want the 10 of the newest group", len(rest), pictures)
			}
			if want := ts - 33; newest != want {
				t.Errorf("the last is at %d ms, want %d", newest, want)
			}
			if missed, moves := slow.Gap(); moves != 1 || missed != key.Seq-had.Seq-1 {
				t.Errorf("%d chunks missed and %d moves, want %d and 1", missed, moves, key.Seq-had.Seq-1)
			}
			if missed, moves := other.Gap(); missed != 0 || moves != 0 {
				t.Errorf("the other viewer has missed %d chunks, and was moved %d times", missed, moves)
			}
		})
	}
}

func TestStartAtAKeyWaitsForTheNext(t *testing.T) {
	s := newSource(t, stream.Limits{})
	ts := s.group(0)
	f := watching(s.ring, Key)
	s.frame(ts, 100)
	if got := see(t, f); len(got) != 0 {
		t.Fatalf("%d bytes before a key", len(got))
	}
	s.group(ts + 33)
	s.flush()
	if got, want := see(t, f), s.sinceKey(-1); !bytes.Equal(got, want) {
		t.Fatalf("got %d bytes, want %d from the key on", len(got), len(want))
	}
}

func TestParseStart(t *testing.T) {
	for _, s := range []Start{Squash, GOP, Key} {
		if got, err := ParseStart(s.String()); got != s || err != nil {
			t.Errorf("%v reads as %v, %v", s, got, err)
		}
	}
	if got, err := ParseStart(""); got != Squash || err != nil {
		t.Errorf("nothing reads as %v, %v", got, err)
	}
	if _, err := ParseStart("fast"); err == nil {
		t.Error("fast is taken")
	}
}

// avcRecord is a decoder configuration with these parameter sets.
func avcRecord(sps, pps []byte) string {
	b := []byte{1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, byte(len(sps))}
	b = append(b, sps...)
	b = append(b, 1, 0, byte(len(pps)))
	return string(append(b, pps...))
}

func TestChangedParametersGoInBandToo(t *testing.T) {
	s := newSource(t, stream.Limits{})
	s.header(avcRecord([]byte{0x67, 1}, []byte{0x68, 1}))
	ts := s.group(0)
	f := watching(s.ring, Squash)
	asSent := watching(s.ring, GOP)
	see(t, asSent)
	see(t, f)
	from := len(s.tags)
	s.reconfigure(ts, avcRecord([]byte{0x67, 2, 2}, []byte{0x68, 2}))
	for range 2 {
		ts = s.group(ts)
	}
	s.flush()
	got := parse(t, see(t, f))
	want := slices.Clone(s.tags[from:])
	if unchanged := see(t, asSent); !bytes.Equal(unchanged, bytes.Join(asBytes(want), nil)) {
		t.Errorf("who wants the stream as it was sent gets %d other bytes", len(unchanged))
	}
	if len(got) != len(want) {
		t.Fatalf("%d tags, want %d", len(got), len(want))
	}
	in := []byte{0, 0, 0, 3, 0x67, 2, 2, 0, 0, 0, 2, 0x68, 2}
	key := want[1].Body() // after the configuration
	want[1] = flv.NewTag(flv.Video, want[1].Timestamp(), slices.Concat(key[:5], in, key[5:]))
	for i := range got {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("tag %d has %d bytes, want %d", i, len(got[i]), len(want[i]))
		}
	}
}

// testSPS is a sequence parameter set that a parser takes: 1280x720, High.
var testSPS = []byte{0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x6c, 0x80, 0x00, 0x00, 0x03, 0x00, 0x80, 0x00, 0x00, 0x1e, 0x07, 0x8c, 0x18, 0xcb}

var testPPS = []byte{0x68, 0xee, 0x3c, 0x80}
