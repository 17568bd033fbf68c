package playback

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// source is a broadcaster for tests: it makes tags, remembers them, and writes them
// to a ring of its own.
type source struct {
	t     testing.TB
	id    stream.ChannelID
	key   ed25519.PrivateKey
	ring  *stream.Ring
	shown *Channel

	writer  *stream.Writer
	payload []byte // the header in force
	rand    *rand.Rand

	tags []flv.Tag // all that were written, in order
	keys []int     // which of them are places to start
}

func newSource(t testing.TB, limits stream.Limits) *source {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	s := &source{
		t:    t,
		id:   stream.IDOf(key),
		key:  key,
		ring: stream.NewRing(limits),
		rand: rand.New(rand.NewPCG(1, 2)),
	}
	s.restart()
	s.header("first")
	return s
}

// channel returns the source's channel, always the same.
func (s *source) channel() *Channel {
	if s.shown == nil {
		s.shown = NewChannel(s.id, s.ring, nil)
	}
	return s.shown
}

// restart begins another epoch. It needs a header before the next tag.
func (s *source) restart() {
	var before stream.Epoch
	if s.writer != nil {
		before = s.writer.Epoch()
	}
	now := time.Now()
	s.writer = stream.NewWriter(s.ring, s.key, stream.NextEpoch(before, now, 1), now)
}

// header sets a header whose video configuration holds name, which stands for the
// encoder's parameters.
func (s *source) header(name string) {
	s.t.Helper()
	var h flv.Header
	for _, tag := range []flv.Tag{avcConfig(0, name), aacConfig(0)} {
		h.Add(tag, flv.Classify(tag))
	}
	s.payload = h.Payload()
	if err := s.writer.SetHeader(s.payload); err != nil {
		s.t.Fatal(err)
	}
}

// reconfigure is what an encoder does that changes its parameters: another header,
// and the configuration in band.
func (s *source) reconfigure(ts uint32, name string) {
	s.t.Helper()
	s.header(name)
	s.write(avcConfig(ts, name), 0)
}

func avcConfig(ts uint32, name string) flv.Tag {
	return flv.NewTag(flv.Video, ts, append([]byte{0x17, 0, 0, 0, 0}, name...))
}

func aacConfig(ts uint32) flv.Tag {
	return flv.NewTag(flv.Audio, ts, []byte{0xaf, 0, 0x12, 0x10})
}

// body returns n bytes that differ from tag to tag, after a tag's own first ones.
func (s *source) body(n int, first ...byte) []byte {
	b := slices.Grow(first, n)
	for len(b) < n {
		b = append(b, byte(s.rand.Uint32()))
	}
	return b
}

// picture returns a body of n bytes, 10 at least, with one NAL unit that begins with
// unit.
func (s *source) picture(n int, first, unit byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte{first, 1, 0, 0, 0}, uint32(n-9))
	return s.body(n, append(b, unit)...)
}

func (s *source) keyframe(ts uint32, size int) {
	s.t.Helper()
	s.keys = append(s.keys, len(s.tags))
	s.write(flv.NewTag(flv.Video, ts, s.picture(size, 0x17, 0x65)), stream.StartHere|stream.EndsChunk)
}

func (s *source) frame(ts uint32, size int) {
	s.t.Helper()
	s.write(flv.NewTag(flv.Video, ts, s.picture(size, 0x27, 0x41)), stream.EndsChunk)
}

// clip sends a clip from a timestamp on; before each tag it waits until that has come, in ms from the clip's beginning.
func (s *source) clip(tags []flv.Tag, from uint32, until func(uint32)) {
	s.t.Helper()
	var h flv.Header
	for _, tag := range tags {
		until(tag.Timestamp())
		tag := slices.Clone(tag)
		flv.PutTimestamp(tag, from+tag.Timestamp())
		k := flv.Classify(tag)
		if h.Add(tag, k) {
			if err := s.writer.SetHeader(h.Payload()); err != nil {
				s.t.Fatal(err)
			}
		}
		flags := stream.EndsChunk
		if k.Key {
			flags |= stream.StartHere
		}
		s.write(tag, flags)
	}
}

func (s *source) audio(ts uint32, size int, f stream.TagFlags) {
	s.t.Helper()
	if f&stream.StartHere != 0 {
		s.keys = append(s.keys, len(s.tags))
	}
	s.write(flv.NewTag(flv.Audio, ts, s.body(size, 0xaf, 1)), f)
}

func (s *source) write(tag flv.Tag, f stream.TagFlags) {
	s.t.Helper()
	s.tags = append(s.tags, tag)
	if err := s.writer.WriteTag(tag, f); err != nil {
		s.t.Fatal(err)
	}
}

// group writes a group of pictures of 10 frames with audio between them, from ts
// on, and returns the timestamp after it.
func (s *source) group(ts uint32) uint32 {
	s.t.Helper()
	s.keyframe(ts, 40_000)
	for range 9 {
		s.audio(ts, 300, 0)
		ts += 33
		s.frame(ts, 5_000)
	}
	return ts + 33
}

// flush closes the chunk that is being filled.
func (s *source) flush() {
	s.t.Helper()
	if err := s.writer.Flush(); err != nil {
		s.t.Fatal(err)
	}
}

// sinceKey returns the bytes of a stream that starts at the n-th place to start,
// or from the end if n is negative.
func (s *source) sinceKey(n int) []byte {
	if n < 0 {
		n += len(s.keys)
	}
	b := slices.Clone(s.payload)
	for _, tag := range s.tags[s.keys[n]:] {
		b = append(b, tag...)
	}
	return b
}

// chunks returns everything in the ring, in order, with the header of each.
func (s *source) chunks() []stream.Item {
	s.t.Helper()
	c := s.ring.Resume(stream.Position{Epoch: s.ring.Head().Epoch})
	var all []stream.Item
	for {
		it, wait, err := c.Poll()
		if err != nil || wait != nil {
			return all
		}
		all = append(all, it)
	}
}

// pass puts chunks and their headers into another ring, as a parent's link does.
func pass(t testing.TB, to *stream.Ring, items []stream.Item) {
	t.Helper()
	for _, it := range items {
		to.SetHeader(it.Header)
		if _, err := to.Append(it.Chunk); err != nil {
			t.Fatal(err)
		}
	}
}

// checked returns b, whose tags must be where it says, and be all that it has.
func checked(t testing.TB, b flv.Batch) flv.Batch {
	t.Helper()
	var tags []byte
	for tag := range b.Tags() {
		if got := parse(t, tag); len(got) != 1 {
			t.Fatalf("%d tags where one should be", len(got))
		}
		tags = append(tags, tag...)
	}
	if all := bytes.Join(b.Parts, nil); !bytes.HasSuffix(all, tags) || b.Header != bytes.HasPrefix(all, []byte("FLV")) ||
		!b.Header && len(all) != len(tags) || b.Header && len(all) != len(tags)+flv.FileHeaderLen {
		t.Fatalf("%d bytes of tags in a batch of %d", len(tags), len(all))
	}
	return b
}

// drain returns all that f has now.
func drain(t testing.TB, f *feed) []byte {
	t.Helper()
	var b bytes.Buffer
	for {
		batch, wait, err := f.next()
		if wait != nil || err != nil {
			return b.Bytes()
		}
		for _, p := range checked(t, batch).Parts {
			b.Write(p)
		}
	}
}

// watching returns the place of a viewer who watches FLV.
func watching(ring *stream.Ring, start Start) *place {
	return newPlace(newReel(ring, flvForm, start == GOP), start)
}

// see returns the bytes that a viewer gets now.
func see(t testing.TB, p *place) []byte {
	t.Helper()
	var b bytes.Buffer
	for {
		out, wait, err := p.next()
		if wait != nil || err != nil {
			return b.Bytes()
		}
		for _, part := range out {
			b.Write(part)
		}
	}
}

// parse returns the tags of b, which may begin with a file header and must be
// whole and well formed.
func parse(t testing.TB, b []byte) []flv.Tag {
	t.Helper()
	if bytes.HasPrefix(b, []byte("FLV")) {
		b = b[flv.FileHeaderLen:]
	}
	var tags []flv.Tag
	for tag := range flv.Tags(b) {
		if want := flv.NewTag(tag.Type(), tag.Timestamp(), tag.Body()); !bytes.Equal(tag, want) {
			t.Fatalf("tag %d: header or trailer is not that of a tag of %d bytes", len(tags), len(tag))
		}
		tags = append(tags, tag)
		b = b[len(tag):]
	}
	if len(b) != 0 {
		t.Fatalf("%d bytes after tag %d are no whole tag", len(b), len(tags))
	}
	return tags
}
