package playback

import (
	"bytes"
	"slices"
	"testing"

	"relay/ingest/flv"
	"relay/relay/stream"
)

func TestReaderGetsWhatTheWriterWasGiven(t *testing.T) {
	s := newSource(t, stream.Limits{})
	s.group(s.group(0))
	f := newFeed(s.ring, true)
	got := drain(t, f)
	ts := s.group(5000)
	got = append(got, drain(t, f)...)
	s.reconfigure(ts, "second") // in band, and nothing but that
	s.group(ts)
	got = append(got, drain(t, f)...)

	want := newSource(t, stream.Limits{}).payload
	for _, tag := range s.tags[s.keys[1]:] {
		want = append(want, tag...)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("got %d bytes that are not the %d written from the newest key on", len(got), len(want))
	}
}

func TestBytesAreSharedWithTheRing(t *testing.T) {
	s := newSource(t, stream.Limits{})
	s.group(0)
	f := newFeed(s.ring, true)
	batch, _, err := f.next()
	if err != nil {
		t.Fatal(err)
	}
	items := s.chunks()
	if &batch.Parts[0][0] != &items[0].Header.Payload()[0] || &batch.Parts[1][0] != &items[0].Chunk.Payload()[0] {
		t.Fatal("the reader was given copies")
	}
}

func TestAudioOnlyStartsAtTheNewestTag(t *testing.T) {
	s := newSource(t, stream.Limits{})
	for i := range 100 {
		s.audio(uint32(i)*20, 400, stream.StartHere)
	}
	s.flush()
	f := newFeed(s.ring, true)
	s.audio(2000, 400, stream.StartHere|stream.EndsChunk)
	if got, want := drain(t, f), s.sinceKey(99); !bytes.Equal(got, want) {
		t.Fatalf("got %d bytes, want %d", len(got), len(want))
	}
}

func TestReaderBeforeTheFirstChunkStartsWithIt(t *testing.T) {
	s := newSource(t, stream.Limits{})
	f := newFeed(s.ring, true)
	if _, wait, err := f.next(); wait == nil || err != nil {
		t.Fatalf("wait %v, error %v on an empty ring", wait, err)
	}
	s.frame(0, 100) // no place to start
	s.group(33)
	if got, want := drain(t, f), s.sinceKey(0); !bytes.Equal(got, want) {
		t.Fatalf("got %d bytes, want %d", len(got), len(want))
	}
}

// The place to start is the first tag of a batch, however many chunks that tag takes to come.
func TestAPlaceToStartBeginsABatch(t *testing.T) {
	s := newSource(t, stream.Limits{})
	ts := s.group(0)
	s.group(ts)
	s.flush()
	ring := stream.NewRing(stream.Limits{})
	f := newFeed(ring, true)
	var starts []uint32
	for _, it := range s.chunks() {
		pass(t, ring, []stream.Item{it})
		for {
			b, wait, err := f.next()
			if err != nil {
				t.Fatal(err)
			}
			if wait != nil {
				break
			}
			for tag := range b.Tags() {
				if key := flv.Classify(tag).Key && !flv.Classify(tag).Config; b.Start {
					if flv.Classify(tag).Config {
						continue // a header's
					}
					if !key {
						t.Errorf("a batch that is said to begin with a place to start begins with a tag at %d ms", tag.Timestamp())
					}
					starts = append(starts, tag.Timestamp())
					b.Start = false
				} else if key {
					t.Errorf("the key frame at %d ms begins no batch", tag.Timestamp())
				}
			}
		}
	}
	if !slices.Equal(starts, []uint32{0, ts}) {
		t.Errorf("places to start at %d ms, want 0 and %d", starts, ts)
	}
}

func TestUnfinishedTagIsHeldBack(t *testing.T) {
	s := newSource(t, stream.Limits{})
	s.keyframe(0, 5*stream.MaxPayload)
	items := s.chunks()
	ring := stream.NewRing(stream.Limits{})
	f := newFeed(ring, true)
	for _, it := range items[:len(items)-1] {
		pass(t, ring, []stream.Item{it})
		if tags := parse(t, drain(t, f)); len(tags) > 2 {
			t.Fatal("a part of a tag was passed on")
		}
	}
	pass(t, ring, items[len(items)-1:])
	if got := parse(t, drain(t, f)); len(got) != 1 || !bytes.Equal(got[0], s.tags[0]) {
		t.Fatal("the tag did not come when it was whole")
	}
}

func TestGapInTheMiddleOfATagLeavesNoPartOfIt(t *testing.T) {
	s := newSource(t, stream.Limits{})
	s.group(0)
	s.frame(400, 10*stream.MaxPayload)
	cut := len(s.chunks()) - 5 // in the middle of that tag
	s.group(800)
	items := s.chunks()
	next := slices.IndexFunc(items[cut:], func(it stream.Item) bool { return it.Chunk.Has(stream.Key) }) + cut

	ring := stream.NewRing(stream.Limits{})
	pass(t, ring, items[:cut])
	f := newFeed(ring, true)
	got := drain(t, f)
	pass(t, ring, items[next:])
	got = append(got, drain(t, f)...)

	big := slices.IndexFunc(s.tags, func(tag flv.Tag) bool { return len(tag) > 10*stream.MaxPayload })
	want := slices.Concat(slices.Clone(s.payload), bytes.Join(asBytes(s.tags[:big]), nil), bytes.Join(asBytes(s.tags[big+1:]), nil))
	if !bytes.Equal(got, want) {
		t.Fatalf("got %d bytes, want %d: all tags but the one with the gap", len(got), len(want))
	}
	if missed, _ := f.cursor.Gap(); missed != uint64(next-cut) {
		t.Fatalf("%d chunks counted as missed, want %d", missed, next-cut)
	}
}

func TestJumpOverAHeaderChangeInsertsTheNewConfigurations(t *testing.T) {
	s := newSource(t, stream.Limits{})
	first := s.payload
	ts := s.group(1000)
	cut := len(s.chunks())
	s.reconfigure(ts, "second")
	s.flush()
	s.group(ts)
	items := s.chunks()
	next := slices.IndexFunc(items[cut:], func(it stream.Item) bool { return it.Chunk.Has(stream.Key) }) + cut

	ring := stream.NewRing(stream.Limits{})
	pass(t, ring, items[:cut])
	f := newFeed(ring, true)
	got := drain(t, f)
	pass(t, ring, items[next:])
	got = append(got, drain(t, f)...)

	want := slices.Clone(first)
	for _, tag := range s.tags[:s.keys[1]-1] { // all before the configuration in band
		want = append(want, tag...)
	}
	want = append(want, avcConfig(ts, "second")...)
	want = append(want, aacConfig(ts)...)
	for _, tag := range s.tags[s.keys[1]:] {
		want = append(want, tag...)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("got %d bytes, want %d with the new configurations at %d ms", len(got), len(want), ts)
	}
}

func TestRestartedSourceGoesOnInTime(t *testing.T) {
	s := newSource(t, stream.Limits{})
	f := newFeed(s.ring, true)
	s.frame(s.group(70_000), 3*stream.MaxPayload)
	got := drain(t, f)
	s.restart()
	s.header("first") // the same encoder: nothing to insert
	s.group(40)
	third := len(s.tags)
	got = append(got, drain(t, f)...)
	s.restart()
	s.header("another")
	s.group(0)
	got = append(got, drain(t, f)...)

	tags := parse(t, got)[2:] // after the header's own
	var newest uint32
	config := -1
	for i, tag := range tags {
		if ts := tag.Timestamp(); ts < newest {
			t.Fatalf("tag %d goes back from %d to %d ms", i, newest, ts)
		} else {
			newest = ts
		}
		if flv.Classify(tag).Config && config < 0 {
			config = i
		}
	}
	if newest > 72_000 {
		t.Fatalf("the last tag is at %d ms: time was lost between the runs", newest)
	}
	if config != third || !bytes.Equal(tags[config].Body(), avcConfig(0, "another").Body()) {
		t.Fatalf("the first configuration is tag %d, want it in front of the third run", config)
	}
	played := slices.Concat(tags[:config], tags[config+2:])
	if !slices.EqualFunc(played, s.tags, func(a, b flv.Tag) bool { return bytes.Equal(a.Body(), b.Body()) }) {
		t.Fatalf("%d tags were played, want the bodies of all %d", len(played), len(s.tags))
	}
}

func asBytes(tags []flv.Tag) [][]byte {
	b := make([][]byte, len(tags))
	for i, tag := range tags {
		b[i] = tag
	}
	return b
}

// Who misses a minute goes on a minute later: a timestamp behind that would be late at
// the player for ever.
func TestAGapTakesAsLongAsWhatIsMissing(t *testing.T) {
	s := newSource(t, stream.Limits{})
	ts := s.group(1000)
	cut := len(s.chunks())
	s.frame(ts+30_000, 100)
	s.group(ts + 60_000)
	items := s.chunks()
	next := slices.IndexFunc(items[cut:], func(it stream.Item) bool { return it.Chunk.Has(stream.Key) }) + cut

	ring := stream.NewRing(stream.Limits{})
	pass(t, ring, items[:cut])
	f := newFeed(ring, true)
	drain(t, f)
	pass(t, ring, items[next:])
	tags := parse(t, drain(t, f))
	if got, want := tags[0].Timestamp(), ts+60_000; got != want {
		t.Errorf("goes on at %d ms, want %d", got, want)
	}
}
