package sample

import (
	"io"
	"slices"
)

// step is how much memory is taken ahead of what has come, in bytes.
const step = 64 << 10

// Read reads n bytes into the memory of b, which grows as they come: what a file claims is no reason
// to take memory. Its error is [io.ErrUnexpectedEOF] if there are fewer.
func Read(r io.Reader, b []byte, n int) ([]byte, error) {
	b = b[:0]
	for len(b) < n {
		at := len(b)
		more := min(n-at, max(step, at))
		if spare := cap(b) - at; spare > 0 && spare < more {
			more = spare // what is there already, first
		}
		b = slices.Grow(b, more)[:at+more]
		if got, err := io.ReadFull(r, b[at:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return b[:at+got], err
		}
	}
	return b, nil
}
