package playback

import (
	"net"

	"relay/ingest/flv"
)

const (
	// maxRecord bounds the tags since a place to start that are remembered for those who come
	// later, in bytes; they are the ring's, as long as that holds them. A stream whose
	// places to start are further apart is joined at the next one.
	maxRecord = 32 << 20
	// maxRecorded bounds how many they are: 10 min of 60 pictures a second.
	maxRecorded = 36_000
	// startLen is how many bytes of a tag are looked at before it is changed.
	startLen = flv.TagHeaderLen + flv.StartLen
)

// record is what lets a viewer who starts at a picture of the past begin at the present: all
// tags since then but the sound, to be squashed ([flv.Squashed]).
type record struct {
	on      bool
	opening []byte // payload of the header that was in force at its beginning
	tags    []recorded
	size    int // bytes of tags
	shown   int // pictures among tags
}

type recorded struct {
	pieces  [][]byte // the ring's
	ts      uint32
	picture bool
}

// add remembers a batch's tags, or forgets all if they become too much.
func (r *record) add(b flv.Batch) {
	if !r.on {
		return
	}
	var start [startLen]byte
	for pieces := range b.Pieces() {
		head := start[:gather(start[:], pieces)]
		if len(head) < flv.TagHeaderLen {
			continue
		}
		typ := flv.Type(head[0])
		kind := flv.ClassifyStart(typ, head[flv.TagHeaderLen:])
		if typ == flv.Audio && !kind.Config {
			continue
		}
		t := recorded{ts: flv.Timestamp(head), picture: typ == flv.Video && !kind.Config}
		for _, p := range pieces {
			t.pieces = append(t.pieces, p)
			r.size += len(p)
		}
		if t.picture {
			r.shown++
		}
		r.tags = append(r.tags, t)
	}
	if r.size > maxRecord || len(r.tags) > maxRecorded {
		*r = record{}
	}
}

// gather copies the beginning of a tag that is in several pieces, and returns how much it is.
func gather(to []byte, pieces [][]byte) (n int) {
	for _, p := range pieces {
		if n += copy(to[n:], p); n == len(to) {
			break
		}
	}
	return n
}

// begins returns the timestamp of the first tag, in milliseconds.
func (r *record) begins() uint32 {
	if len(r.tags) == 0 {
		return 0
	}
	return r.tags[0].ts
}

// squashed returns the tags with their timestamps squashed. Only the starts of tags are made, the
// rest is shared.
func (r *record) squashed() net.Buffers {
	var first, last uint32
	parts, begun := 0, false
	for _, t := range r.tags {
		parts += 1 + len(t.pieces)
		if t.picture {
			last = t.ts
			if !begun {
				first, begun = t.ts, true
			}
		}
	}
	out, starts := make(net.Buffers, 0, parts), make([]byte, startLen*len(r.tags))
	i := 0 // pictures so far
	for _, t := range r.tags {
		n := gather(starts[:startLen:startLen], t.pieces)
		head := starts[:n:n]
		starts = starts[n:]
		if r.shown > 0 {
			flv.PutTimestamp(head, flv.Squashed(first, last, min(i, r.shown-1), r.shown))
		}
		if t.picture {
			i++
			body := head[flv.TagHeaderLen:]
			if f, ok := flv.FramingOf(body); ok {
				f.ClearOffset(body)
			}
		}
		out = append(out, head)
		for _, p := range t.pieces {
			if len(p) <= n {
				n -= len(p)
				continue
			}
			out = append(out, p[n:])
			n = 0
		}
	}
	return out
}
