package rtmp

import (
	"bytes"
	"net"

	"relay/ingest/flv"
)

// Container is a stream as RTMP messages, behind a [Viewing]'s head. Every message has all of its
// own header, so the same bytes are right for any number of players. What it returns, lists
// included, never changes: who writes a list out with [net.Buffers.WriteTo], which takes it apart,
// needs a copy of the list. The Container itself belongs to one goroutine at a time.
type Container struct {
	header  flv.Header  // the configurations in force
	opening []byte      // payload of the header in force at the newest place to start
	since   flv.GOP     // from there on
	joined  net.Buffers // what Join has made since the newest tags
}

// NewContainer returns a Container that has had no tags yet.
func NewContainer() *Container { return &Container{} }

// Convert takes the next tags and returns them as messages, bodies shared with the tags. It never
// fails.
func (c *Container) Convert(batch flv.Batch) (net.Buffers, error) {
	c.joined = nil
	chunks := newChunker(len(batch.Lens), len(batch.Parts)+len(batch.Lens))
	if batch.Header {
		for t := range flv.Tags(batch.Parts[0]) {
			chunks.message([][]byte{t})
			c.header.Add(t, flv.Classify(t))
		}
		batch.Parts, batch.Header = batch.Parts[1:], false
	}
	if batch.Start {
		c.opening = c.header.Payload()
		c.since.Begin()
	}
	for pieces := range batch.Pieces() {
		chunks.message(pieces)
		c.note(pieces)
	}
	return chunks.out, nil
}

// startLen is how many bytes of a tag are looked at.
const startLen = flv.TagHeaderLen + flv.StartLen

// note remembers of a tag what a player who comes later needs.
func (c *Container) note(pieces [][]byte) {
	var buf [startLen]byte
	start := startOf(pieces, buf[:])
	typ, body := flv.Type(start[0]), start[flv.TagHeaderLen:]
	if n := flv.BodyLen(start); n < len(body) {
		body = body[:n] // what follows is the tag's trailer
	}
	kind := flv.ClassifyStart(typ, body)
	switch typ {
	case flv.Audio, flv.Video:
	case flv.Script:
		kind = flv.Classify(bytes.Join(pieces, nil))
	default:
		return
	}
	if kind.Config {
		c.header.Add(bytes.Join(pieces, nil), kind)
	}
	c.since.Add(pieces)
}

// startOf copies the start of a tag to buf and returns as much of it as there is.
func startOf(pieces [][]byte, buf []byte) []byte {
	n := 0
	for _, p := range pieces {
		if n += copy(buf[n:], p); n == len(buf) {
			break
		}
	}
	return buf[:n]
}

// Join returns what a player gets in front of what Convert returns next: the metadata and the
// decoder configurations in force, and, if it is to catch up, the pictures since the newest batch
// that begins at a place to start, squashed. It returns nothing if there are none of these. All who
// join between the same two batches get the same.
func (c *Container) Join(catchUp bool) (net.Buffers, error) {
	if !catchUp || c.since.Pictures() == 0 {
		chunks := &chunker{}
		chunks.header(c.header.Payload())
		return chunks.out, nil
	}
	if c.joined == nil {
		chunks := newChunker(c.since.Len(), 3*c.since.Len())
		chunks.header(c.opening)
		for pieces := range c.since.Squashed() {
			chunks.message(pieces)
		}
		c.joined = chunks.out
	}
	return c.joined, nil
}

// header makes messages of a header's tags, which are at time 0: ffmpeg takes metadata at any other
// time for a track of text.
func (c *chunker) header(payload []byte) {
	for t := range flv.Tags(payload) {
		c.message([][]byte{t})
	}
}
