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
	f := newFeed(s.ring, Squash)
	got := parse(t, drain(t, f))[2:] // after the header's own
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
	after := parse(t, drain(t, f))
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
	f := newFeed(s.ring, Squash)
	for i, tag := range parse(t, drain(t, f))[2:] {
		if c, ok := flv.Decode(tag); !ok || c.Offset != 0 {
			t.Errorf("picture %d is shown %d ms late", i, c.Offset)
		}
	}
	s.write(withOffset(flv.NewTag(flv.Video, 200, s.body(100, 0x27, 1, 0, 0, 0)), 80), stream.EndsChunk)
	last := parse(t, drain(t, f))
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
	f := newFeed(ring, Squash)
	got := drain(t, f)
	pass(t, ring, items[len(items)-2:])
	got = append(got, drain(t, f)...)
	tags := parse(t, got)[2:]
	if len(tags) != 11 {
		t.Fatalf("%d pictures, want 11", len(tags))
	}
	for i, tag := range tags {
		if want := ts - uint32(len(tags)-1-i); tag.Timestamp() != want {
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
	for i, tag := range parse(t, drain(t, newFeed(s.ring, Squash)))[2:] {
		if tag.Timestamp() != 5 {
			t.Fatalf("picture %d is at %d ms, want 5", i, tag.Timestamp())
		}
	}
}

func TestReaderThatFellBehindIsSquashedToLive(t *testing.T) {
	s := newSource(t, stream.Limits{})
	ts := s.group(0)
	items := s.chunks()
	ring := stream.NewRing(stream.Limits{})
	pass(t, ring, items)
	f := newFeed(ring, Squash)
	first := parse(t, drain(t, f))[2:]

	for range 3 {
		ts = s.group(ts)
	}
	s.flush()
	all := s.chunks()
	keys := make([]int, 0, 4)
	for i, it := range all {
		if it.Chunk.Has(stream.Key) {
			keys = append(keys, i)
		}
	}
	gap := stream.NewRing(stream.Limits{}) // what the reader's ring has after a gap
	pass(t, gap, items)
	f.ring, f.cursor = gap, gap.Resume(items[len(items)-1].Chunk.Position())
	pass(t, gap, all[keys[len(keys)-1]:])
	rest := parse(t, drain(t, f))
	if len(rest) != 10 {
		t.Fatalf("%d tags after the gap, want 10 pictures", len(rest))
	}
	newest := first[len(first)-1].Timestamp()
	for i, tag := range rest {
		if tag.Timestamp() < newest {
			t.Fatalf("tag %d goes back to %d ms from %d", i, tag.Timestamp(), newest)
		}
		newest = tag.Timestamp()
	}
	if want := ts - 33; newest != want {
		t.Errorf("the last is at %d ms, want %d", newest, want)
	}
}

func TestStartAtAKeyWaitsForTheNext(t *testing.T) {
	s := newSource(t, stream.Limits{})
	ts := s.group(0)
	f := newFeed(s.ring, Key)
	s.frame(ts, 100)
	if got := drain(t, f); len(got) != 0 {
		t.Fatalf("%d bytes before a key", len(got))
	}
	s.group(ts + 33)
	s.flush()
	if got, want := drain(t, f), s.sinceKey(-1); !bytes.Equal(got, want) {
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
	f := newFeed(s.ring, Squash)
	asSent := newFeed(s.ring, GOP)
	drain(t, asSent)
	drain(t, f)
	from := len(s.tags)
	s.reconfigure(ts, avcRecord([]byte{0x67, 2, 2}, []byte{0x68, 2}))
	for range 2 {
		ts = s.group(ts)
	}
	s.flush()
	got := parse(t, drain(t, f))
	want := slices.Clone(s.tags[from:])
	if unchanged := drain(t, asSent); !bytes.Equal(unchanged, bytes.Join(asBytes(want), nil)) {
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
