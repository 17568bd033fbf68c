package flv

import (
	"bytes"
	"iter"
	"net"
)

// Batch is a run of whole tags on their way to one reader. Its bytes are shared with
// other readers and must not be changed. It remembers where each tag ends, so that
// nobody has to look for that again.
type Batch struct {
	// Parts are all the bytes, in order: what an FLV reader gets. A tag may be in several
	// parts, and a part may hold several tags.
	Parts net.Buffers
	// Header says that Parts[0] is a header's payload, as [Header.Payload] makes it:
	// these are the first bytes that the reader gets.
	Header bool
	// Start says that a reader who begins anew may begin with the first tag behind the
	// header: the batch begins with the tag of a key chunk.
	Start bool
	// Lens are the lengths in bytes of the tags behind the header.
	Lens []int
	// At is where in the stream each of those tags begins: 16,384 times the number of its chunk, and the
	// offset in the payload. That of a tag which was put in is that of the tag behind it. It may be nil.
	At []uint64
}

// HeaderBatch returns the batch of a header's payload and no other tag.
func HeaderBatch(payload []byte) Batch { return Batch{Parts: net.Buffers{payload}, Header: true} }

// BatchOf returns the batch of these tags.
func BatchOf(tags ...Tag) Batch {
	b := Batch{Parts: make(net.Buffers, len(tags)), Lens: make([]int, len(tags))}
	for i, t := range tags {
		b.Parts[i], b.Lens[i] = t, len(t)
	}
	return b
}

// Pieces returns each tag, those of the header included, as the pieces that it is in.
// The list of pieces is good until the next tag.
func (b Batch) Pieces() iter.Seq[[][]byte] {
	return func(yield func([][]byte) bool) {
		parts, pieces := b.Parts, make([][]byte, 0, 8)
		if b.Header {
			for t := range Tags(parts[0]) {
				if !yield(append(pieces[:0], t)) {
					return
				}
			}
			parts = parts[1:]
		}
		var rest []byte // of the part before parts
		for _, left := range b.Lens {
			pieces = pieces[:0]
			for left > 0 {
				if len(rest) == 0 {
					rest, parts = parts[0], parts[1:]
				}
				n := min(left, len(rest))
				pieces = append(pieces, rest[:n:n])
				rest, left = rest[n:], left-n
			}
			if !yield(pieces) {
				return
			}
		}
	}
}

// Tags returns each tag, those of the header included. One that is in a single piece
// shares the batch's memory; another one is a copy.
func (b Batch) Tags() iter.Seq[Tag] {
	return func(yield func(Tag) bool) {
		for pieces := range b.Pieces() {
			t := pieces[0]
			if len(pieces) > 1 {
				t = bytes.Join(pieces, nil)
			}
			if !yield(t) {
				return
			}
		}
	}
}

// Start returns the start of a tag that is in pieces, whose first n bytes are wanted: of the first
// piece if that has them, or else a copy. It is shorter if the tag is.
func Start(pieces [][]byte, n int) []byte {
	if len(pieces[0]) >= n || len(pieces) == 1 {
		return pieces[0]
	}
	start := make([]byte, 0, n)
	for _, p := range pieces {
		start = append(start, p[:min(len(p), n-len(start))]...)
	}
	return start
}

// AppendCut appends what bytes in pieces have between two places to a list of pieces.
func AppendCut(cut, pieces [][]byte, from, to int) [][]byte {
	at := 0
	for _, p := range pieces {
		if b := p[min(max(from-at, 0), len(p)):min(max(to-at, 0), len(p))]; len(b) > 0 {
			cut = append(cut, b)
		}
		at += len(p)
	}
	return cut
}
