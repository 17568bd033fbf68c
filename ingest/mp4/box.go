package mp4

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// box is where a box is.
type box struct {
	typ      string
	at       int64 // its first byte
	from, to int64 // what is in it
}

// boxHead is the length of what begins a box, wideHead with a size of 64 bits.
const boxHead, wideHead = 8, 16

// toTheEnd is where a box ends that goes on to the end of the file.
const toTheEnd = math.MaxInt64

// parseHead reads what begins a box that lies at a place; b has up to wideHead bytes. It reports false
// for what is none.
func parseHead(b []byte, at int64) (x box, ok bool) {
	if len(b) < boxHead {
		return x, false
	}
	x = box{typ: string(b[4:8]), at: at, from: at + boxHead}
	size := uint64(binary.BigEndian.Uint32(b))
	switch {
	case size == 0:
		x.to = toTheEnd
		return x, true
	case size == 1:
		if len(b) < wideHead {
			return x, false
		}
		size, x.from = binary.BigEndian.Uint64(b[boxHead:]), at+wideHead
	}
	if size < uint64(x.from-at) || size > math.MaxInt64-uint64(at) {
		return x, false
	}
	x.to = at + int64(size)
	return x, true
}

// isTop reports whether a box of this type lies at the top of files.
func isTop(typ string) bool {
	switch typ {
	case "ftyp", "styp", "moov", "moof", "mdat", "free", "skip", "wide", "pnot", "sidx", "ssix", "emsg", "prft", "mfra", "meta", "uuid", "udta":
		return true
	}
	return false
}

// Sniff reports whether b begins MP4 or QuickTime.
func Sniff(b []byte) bool {
	x, ok := parseHead(b[:min(len(b), wideHead)], 0)
	return ok && isTop(x.typ)
}

// SniffLen is how much of a stream [Sniff] wants to see, in bytes.
const SniffLen = wideHead

// boxAt reads the head of the box at a place of a file; none goes beyond to. It returns io.EOF at the
// end.
func boxAt(r io.ReaderAt, at, to int64) (box, error) {
	var b [wideHead]byte
	if at+boxHead > to {
		return box{}, io.EOF
	}
	n, err := r.ReadAt(b[:min(wideHead, to-at)], at)
	if n < boxHead && err != nil {
		return box{}, err
	}
	x, ok := parseHead(b[:n], at)
	if !ok {
		return box{}, ErrFormat
	}
	x.to = min(x.to, to)
	return x, nil
}

// each calls f with every box in a box of a file. What is no box ends it.
func each(r io.ReaderAt, in box, f func(box) error) error {
	for at := in.from; ; {
		x, err := boxAt(r, at, in.to)
		if err != nil {
			if errors.Is(err, ErrFormat) || err == io.EOF { // QuickTime ends a list with zeros
				return nil
			}
			return err
		}
		if err := f(x); err != nil {
			return err
		}
		at = x.to
	}
}

// within calls f with every box in b.
func within(b []byte, f func(typ string, body []byte)) {
	for len(b) >= boxHead {
		x, ok := parseHead(b[:min(len(b), wideHead)], 0)
		if !ok {
			return
		}
		x.to = min(x.to, int64(len(b)))
		f(x.typ, b[x.from:x.to])
		b = b[x.to:]
	}
}

// load reads what is in a box of a file, if that is not more than most bytes.
func load(r io.ReaderAt, x box, most int64) ([]byte, error) {
	n := x.to - x.from
	if n > most {
		return nil, ErrFormat
	}
	b := make([]byte, n)
	if got, err := r.ReadAt(b, x.from); got < len(b) {
		return nil, err
	}
	return b, nil
}

// be32 and be64 are the number at a place, 0 if b is too short.
func be32(b []byte, at int) uint32 {
	if at+4 > len(b) {
		return 0
	}
	return binary.BigEndian.Uint32(b[at:])
}

func be64(b []byte, at int) uint64 {
	if at+8 > len(b) {
		return 0
	}
	return binary.BigEndian.Uint64(b[at:])
}
