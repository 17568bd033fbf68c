package playback

import (
	"bytes"
	"net"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// maxHeld is how many slices an unfinished tag may be held in: twice what the
// longest tag takes in full chunks, so that a source that signs tiny ones cannot
// make every reader keep a long list.
const maxHeld = 2 * (flv.MaxBody/stream.MaxPayload + 1)

// assembler makes whole tags of chunk payloads for one reader. Bytes are passed on
// as slices of the payloads; only a tag header whose timestamp is not the reader's
// is made anew.
type assembler struct {
	timeline flv.Timeline
	insert   []byte // header payload whose tags go before the next tag, nil if none

	parts [][]byte
	whole int // parts[:whole] end at a tag boundary; the rest is an unfinished tag

	head [flv.TagHeaderLen]byte // of the tag that is being read
	have int                    // bytes of head that have come, 0 between tags
	left int                    // bytes to come after head
}

// begin passes a header payload on as it is, file header included.
func (a *assembler) begin(header []byte) {
	a.parts = append(a.parts, header)
	a.whole = len(a.parts)
}

// restart says that the next tag's timestamps come from another run.
func (a *assembler) restart() { a.timeline.Restart() }

// insertBefore has the tags of a header payload put in front of the next tag.
func (a *assembler) insertBefore(header []byte) { a.insert = header }

// ready returns the whole tags so far. They are good until drop.
func (a *assembler) ready() net.Buffers { return a.parts[:a.whole:a.whole] }

// drop forgets the whole tags; the unfinished one stays.
func (a *assembler) drop() {
	n := copy(a.parts, a.parts[a.whole:])
	clear(a.parts[n:])
	a.parts, a.whole = a.parts[:n], 0
}

// cut forgets the unfinished tag.
func (a *assembler) cut() {
	clear(a.parts[a.whole:])
	a.parts = a.parts[:a.whole]
	a.have, a.left = 0, 0
}

// add takes the payload of a chunk. One that starts at a tag boundary ends whatever
// was unfinished; one that does not is passed over when there is nothing it could
// continue.
func (a *assembler) add(c *stream.Chunk) {
	switch {
	case c.Has(stream.Tag):
		a.cut()
	case a.have == 0:
		return
	}
	a.walk(c.Payload())
	if len(a.parts)-a.whole > maxHeld {
		a.cut()
	}
}

// walk follows the tags through p. p[from:] is not in parts yet, and p[:end] are
// the tags that are finished in p.
func (a *assembler) walk(p []byte) {
	from, end := 0, 0
	for at := 0; at < len(p); {
		if a.have < len(a.head) {
			n := copy(a.head[a.have:], p[at:])
			a.have += n
			at += n
			if a.have < len(a.head) {
				break
			}
			a.left = flv.BodyLen(a.head[:]) + flv.TagTrailerLen
			if ts := a.timestamp(); a.insert != nil || ts != flv.Timestamp(a.head[:]) {
				a.finish(p[from:max(from, end)])
				a.replaceHead(ts)
				from = at
			}
			continue
		}
		n := min(a.left, len(p)-at)
		a.left -= n
		at += n
		if a.left == 0 {
			a.have, end = 0, at
		}
	}
	a.finish(p[from:max(from, end)])
	if rest := p[max(from, end):]; len(rest) > 0 {
		a.parts = append(a.parts, rest)
	}
}

// finish adds bytes that end at a tag boundary.
func (a *assembler) finish(b []byte) {
	if len(b) > 0 {
		a.parts = append(a.parts, b)
		a.whole = len(a.parts)
	}
}

// replaceHead puts the tags to insert, and a copy of head with another timestamp,
// in the place of whatever of head is in parts already.
func (a *assembler) replaceHead(ts uint32) {
	a.parts = a.parts[:a.whole]
	if a.insert != nil {
		for t := range flv.Tags(a.insert) {
			t = bytes.Clone(t)
			flv.PutTimestamp(t, ts)
			a.finish(t)
		}
		a.insert = nil
	}
	head := bytes.Clone(a.head[:])
	flv.PutTimestamp(head, ts)
	a.parts = append(a.parts, head)
}

// timestamp returns what the tag of head gets at this reader, in milliseconds.
func (a *assembler) timestamp() uint32 {
	in := flv.Timestamp(a.head[:])
	if flv.Type(a.head[0]) == flv.Script {
		return a.timeline.Place(in)
	}
	return a.timeline.Map(in)
}
