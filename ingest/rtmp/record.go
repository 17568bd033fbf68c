package rtmp

import (
	"net"
	"slices"

	"relay/ingest/flv"
)

// Bounds of what is recorded for players who come later. What goes beyond them is not recorded:
// such a player then begins at the next place to start.
const (
	// maxRecorded is in bytes of tags: 20 s at 12 Mb/s.
	maxRecorded = 32 << 20
	// maxRecordedTags are 17 s of 240 Hz; each costs a player who comes some 150 bytes.
	maxRecordedTags = 4096
)

// record is what has come since the newest place to start but sound, for players who join. No
// body in it is copied. Its zero value records nothing until begin.
type record struct {
	on          bool
	header      []byte // payload of the header in force at the place to start
	tags        []recorded
	size        int // bytes of tags
	slices      int // that the tags are in
	pictures    int // among tags
	first, last uint32
}

// recorded is one tag.
type recorded struct {
	pieces  [][]byte
	picture bool
}

// begin forgets what there is and records from the next tag on, with the header in force.
func (r *record) begin(header []byte) { *r = record{on: true, header: header} }

// add records a tag.
func (r *record) add(pieces [][]byte, picture bool) {
	if !r.on {
		return
	}
	for _, p := range pieces {
		r.size += len(p)
	}
	if r.size > maxRecorded || len(r.tags) == maxRecordedTags {
		*r = record{}
		return
	}
	r.tags = append(r.tags, recorded{slices.Clone(pieces), picture})
	r.slices += len(pieces)
	if !picture {
		return
	}
	var buf [flv.TagHeaderLen]byte
	r.last = flv.Timestamp(startOf(pieces, buf[:]))
	if r.pictures++; r.pictures == 1 {
		r.first = r.last
	}
}

// squashed is the messages of the tags, with the pictures' times as [flv.Squashed] has them. What
// is no picture comes with the next one.
func (r *record) squashed() net.Buffers {
	out := newChunker(len(r.tags), r.slices+len(r.tags))
	out.header(r.header)
	starts := make([]byte, 0, startLen*len(r.tags))
	var pieces [][]byte
	shown := 0
	for _, t := range r.tags {
		from := len(starts)
		start := startOf(t.pieces, starts[from:from+startLen])
		starts = starts[:from+len(start)]
		flv.PutTimestamp(start, flv.Squashed(r.first, r.last, min(shown, r.pictures-1), r.pictures))
		if t.picture {
			shown++
			body := start[flv.TagHeaderLen:]
			body = body[:min(len(body), flv.BodyLen(start))]
			if f, ok := flv.FramingOf(body); ok {
				f.ClearOffset(body)
			}
		}
		pieces = append(pieces[:0], start)
		skip := len(start)
		for _, p := range t.pieces {
			n := min(skip, len(p))
			if skip -= n; n < len(p) {
				pieces = append(pieces, p[n:])
			}
		}
		out.message(pieces)
	}
	return out.out
}
