package playback

import (
	"bytes"
	"slices"

	"relay/ingest/flv"
	"relay/relay/stream"
)

const (
	// maxHeld is how many slices an unfinished tag may be held in: twice what the
	// longest tag takes in full chunks, so that a source that signs tiny ones cannot
	// make every reader keep a long list.
	maxHeld = 2 * (flv.MaxBody/stream.MaxPayload + 1)
	// maxKept is how long a list of slices, or of lengths, is kept for the next batch; a squashed start
	// needs a longer one, once.
	maxKept = 4 * maxBatchParts
)

// startLen is how many bytes of a tag are looked at before it is changed.
const startLen = flv.TagHeaderLen + flv.StartLen

// assembler makes whole tags of chunk payloads for one reader. Bytes are passed on
// as slices of the payloads. Where this reader must get a tag changed, only the start of
// the tag is made anew.
type assembler struct {
	timeline flv.Timeline
	asSigned bool               // as [Form.AsSigned] has it
	insert   []byte             // header payload whose tags go before the next tag, nil if none
	sets     *flv.ParameterSets // to put into the next picture to start at, nil if none

	parts  [][]byte
	whole  int      // parts[:whole] end at a tag boundary; the rest is an unfinished tag
	lens   []int    // of the tags in parts[:whole], but for a header's
	at     []uint64 // where these begin, as in flv.Batch
	header bool     // parts[0] is a header payload

	base   uint64 // where the chunk that is being read begins
	begins uint64 // where the tag that is being read does

	// The tag that is being read.
	head    [startLen]byte
	have    int    // bytes of head that have come, 0 between tags
	size    int    // bytes of it as this reader gets it, once head is complete
	left    int    // bytes to come after head, and before trailer if that is set
	skip    bool   // it is left out
	trailer []byte // takes the place of the tag's own, nil for that itself
}

// begin passes on a header payload as it is, file header included, in front of
// everything else.
func (a *assembler) begin(header []byte) {
	a.parts = append(a.parts, header)
	a.whole, a.header = len(a.parts), true
}

// restart says that the next tag's timestamps come from another run.
func (a *assembler) restart() { a.timeline.Restart() }

// gap says that tags are missing in front of the next one.
func (a *assembler) gap() { a.timeline.Gap() }

// insertBefore has the tags of a header payload put in front of the next tag.
func (a *assembler) insertBefore(header []byte) { a.insert = header }

// ready returns the whole tags so far. They are good until drop.
func (a *assembler) ready() flv.Batch {
	return flv.Batch{Parts: a.parts[:a.whole:a.whole], Header: a.header, Lens: a.lens, At: a.at}
}

// drop forgets the whole tags; the unfinished one stays.
func (a *assembler) drop() {
	if a.lens, a.at, a.header = a.lens[:0], a.at[:0], false; cap(a.lens) > maxKept {
		a.lens, a.at = nil, nil
	}
	if cap(a.parts) > maxKept {
		a.parts, a.whole = append([][]byte(nil), a.parts[a.whole:]...), 0
		return
	}
	n := copy(a.parts, a.parts[a.whole:])
	clear(a.parts[n:])
	a.parts, a.whole = a.parts[:n], 0
}

// cut forgets the unfinished tag.
func (a *assembler) cut() {
	clear(a.parts[a.whole:])
	a.parts = a.parts[:a.whole]
	a.have, a.left, a.skip, a.trailer = 0, 0, false, nil
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
	a.base = c.Seq() * stream.MaxChunk
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
		if a.have == 0 {
			a.begins = a.base + uint64(at)
		}
		if need := a.need(); a.have < need {
			n := copy(a.head[a.have:need], p[at:])
			a.have += n
			at += n
			if a.have < a.need() {
				continue
			}
			a.size = flv.TagHeaderLen + flv.BodyLen(a.head[:]) + flv.TagTrailerLen
			a.left = a.size - a.have
			if ts := a.timestamp(); a.changes(ts) {
				a.finish(p[from:max(from, end)])
				a.replaceHead(ts)
				from = at
			}
			continue
		}
		n := min(a.left, len(p)-at)
		a.left -= n
		at += n
		if a.left > 0 {
			continue
		}
		switch {
		case a.trailer != nil: // the tag's own comes next, and is left out
			a.finish(p[from:at])
			a.finish(a.trailer)
			a.count(a.size)
			a.trailer, a.left, a.skip = nil, flv.TagTrailerLen, true
			continue
		case a.skip:
			a.skip, from = false, at
		default:
			a.count(a.size)
		}
		a.have, end = 0, at
	}
	a.finish(p[from:max(from, end)])
	if rest := p[max(from, end):]; len(rest) > 0 && !a.skip {
		a.parts = append(a.parts, rest)
	}
}

// count notes a tag of n bytes that is whole.
func (a *assembler) count(n int) {
	a.lens = append(a.lens, n)
	a.at = append(a.at, a.begins)
}

// need is how many bytes of the tag have to be in head: more than its header only
// where the tag may have to be changed behind that.
func (a *assembler) need() int {
	if a.have < flv.TagHeaderLen || a.sets == nil {
		return flv.TagHeaderLen
	}
	return flv.TagHeaderLen + min(flv.StartLen, flv.BodyLen(a.head[:]))
}

// finish adds bytes that end at a tag boundary.
func (a *assembler) finish(b []byte) {
	if len(b) > 0 {
		a.parts = append(a.parts, b)
		a.whole = len(a.parts)
	}
}

// changes reports whether this reader, who gets the tag of head at ts, must get it
// changed.
func (a *assembler) changes(ts uint32) bool {
	return a.insert != nil || a.sets != nil || ts != flv.Timestamp(a.head[:])
}

// replaceHead replaces what is in parts of the unfinished tag's head by the tags to
// insert and by the start of the tag as this reader gets it.
func (a *assembler) replaceHead(ts uint32) {
	a.parts = a.parts[:a.whole]
	if a.insert != nil {
		for t := range flv.Tags(a.insert) {
			t = bytes.Clone(t)
			flv.PutTimestamp(t, ts)
			a.finish(t)
			a.count(len(t))
		}
		a.insert = nil
	}
	typ, body := flv.Type(a.head[0]), a.head[flv.TagHeaderLen:a.have]
	kind := flv.ClassifyStart(typ, body)
	head := bytes.Clone(a.head[:a.have])
	if kind.Key && a.sets != nil {
		head = a.putSets(head)
	}
	flv.PutTimestamp(head, ts)
	a.parts = append(a.parts, head)
}

// putSets puts parameter sets into a picture, in front of its own NAL units: some
// decoders go by nothing else when parameters change. head is the start of the tag.
func (a *assembler) putSets(head []byte) []byte {
	body := head[flv.TagHeaderLen:]
	units := a.sets.Framed()
	a.sets = nil
	f, ok := flv.FramingOf(body)
	size := flv.BodyLen(head) + len(units)
	if !ok || size > flv.MaxBody {
		return head
	}
	whole := slices.Concat(head[:flv.TagHeaderLen], f.Insert(body, units))
	flv.PutBodyLen(whole, size)
	a.trailer = flv.Trailer(size)
	a.size += len(units)
	a.left -= flv.TagTrailerLen
	return whole
}

// timestamp returns the timestamp that this reader gets the tag of head with, in
// milliseconds.
func (a *assembler) timestamp() uint32 {
	in := flv.Timestamp(a.head[:])
	if a.asSigned {
		return in
	}
	if flv.Type(a.head[0]) == flv.Script {
		return a.timeline.Place(in)
	}
	return a.timeline.Map(in)
}
