package playback

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// forge returns a chunk that no honest writer makes, unsigned: the data path has
// verified a chunk before a reader gets it, but whoever has the channel's key can
// sign anything.
func forge(t testing.TB, seq uint64, f stream.Flags, payload []byte) *stream.Chunk {
	t.Helper()
	b := make([]byte, stream.ChunkOverhead+len(payload))
	stream.PutPrelude(b, stream.FrameChunk, len(b)-stream.PreludeLen)
	b[4], b[5] = stream.Version, byte(f)
	binary.BigEndian.PutUint64(b[22:], seq)
	binary.BigEndian.PutUint32(b[38:], 1)
	copy(b[42:], payload)
	c, err := stream.ParseChunk(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTagsSplitAnywhereComeOutWhole(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		var a assembler
		var sent, want, got []byte
		shifted := rnd.IntN(2) == 0 // with timestamps that are not the reader's
		if shifted {
			a.timeline.Map(5000)
			a.restart()
		}
		for i := range 20 {
			body := make([]byte, rnd.IntN(60))
			for j := range body {
				body[j] = byte(rnd.Uint32())
			}
			tag := flv.NewTag(flv.Video, uint32(i), body)
			sent = append(sent, tag...)
			if shifted {
				flv.PutTimestamp(tag, 5033+uint32(i))
			}
			want = append(want, tag...)
		}
		for at, flags := 0, stream.Key|stream.Tag; at < len(sent); flags = 0 {
			n := min(1+rnd.IntN(100), len(sent)-at)
			if a.have == 0 {
				flags |= stream.Tag
			}
			a.add(forge(t, uint64(at+1), flags, sent[at:at+n]))
			at += n
			got = append(got, bytes.Join(checked(t, a.ready()).Parts, nil)...)
			parse(t, got)
			a.drop()
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("got %d bytes, want %d (shifted: %v)", len(got), len(want), shifted)
		}
	}
}

func TestInsertedTagsStandBeforeATagWhoseHeaderIsSplit(t *testing.T) {
	s := newSource(t, stream.Limits{})
	var a assembler
	a.insertBefore(s.payload)
	tag := flv.NewTag(flv.Video, 777, []byte("body"))
	a.add(forge(t, 1, stream.Key|stream.Tag, tag[:5]))
	if len(a.ready().Parts) != 0 {
		t.Fatal("something is ready after 5 bytes of a tag header")
	}
	a.add(forge(t, 2, 0, tag[5:]))
	tags := parse(t, bytes.Join(checked(t, a.ready()).Parts, nil))
	if len(tags) != 3 || !bytes.Equal(tags[2], tag) {
		t.Fatalf("%d tags, want the header's two and then the tag", len(tags))
	}
	for i, tag := range tags {
		if tag.Timestamp() != 777 {
			t.Errorf("tag %d is at %d ms, want 777", i, tag.Timestamp())
		}
	}
}

func TestChunkThatContinuesNothingIsPassedOver(t *testing.T) {
	var a assembler
	a.add(forge(t, 1, 0, []byte("the rest of a tag that nobody has seen")))
	if len(a.parts) != 0 {
		t.Fatal("bytes from the middle of a tag were kept")
	}
}

func TestTagInTinyChunksIsGivenUp(t *testing.T) {
	var a assembler
	head := flv.NewTag(flv.Video, 0, nil)[:flv.TagHeaderLen]
	head[1], head[2], head[3] = 0xff, 0xff, 0xff
	a.add(forge(t, 1, stream.Key|stream.Tag, head))
	for i := range 10 * maxHeld {
		a.add(forge(t, uint64(i+2), 0, []byte{0}))
		if len(a.parts) > maxHeld {
			t.Fatalf("%d slices are held", len(a.parts))
		}
	}
	tag := flv.NewTag(flv.Audio, 0, []byte("next"))
	a.add(forge(t, 1<<20, stream.Tag, tag))
	if got := bytes.Join(checked(t, a.ready()).Parts, nil); !bytes.Equal(got, tag) {
		t.Fatalf("got %q after the tag that was given up", got)
	}
}

func TestLongestTagComesThrough(t *testing.T) {
	var a assembler
	tag := flv.NewTag(flv.Video, 0, make([]byte, flv.MaxBody))
	flags := stream.Key | stream.Tag
	for at := 0; at < len(tag); at += stream.MaxPayload {
		a.add(forge(t, uint64(at+1), flags, tag[at:min(at+stream.MaxPayload, len(tag))]))
		flags = 0
	}
	if got := bytes.Join(checked(t, a.ready()).Parts, nil); !bytes.Equal(got, tag) {
		t.Fatalf("got %d bytes, want %d", len(got), len(tag))
	}
}
