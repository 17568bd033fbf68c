package archive

import (
	"io"

	"relay/relay/stream"
)

// readAhead is how much is read of a file at a time, in bytes: a second of video, and little beside what
// a disk does in a millisecond.
const readAhead = 256 << 10

// frames reads the frames of a part of a file.
type frames struct {
	from    io.ReaderAt
	at, end int64  // of the frame that comes next, and of the file's whole frames
	ahead   []byte // what is at at, read before
}

// next returns the next frame, prelude included. It is the caller's. At the end of the part it
// returns [io.EOF], and errTorn if that is within a frame; another [ErrFormat] says that there is none.
func (f *frames) next() (typ byte, frame []byte, err error) {
	if f.at >= f.end {
		return 0, nil, io.EOF
	}
	if err := f.need(stream.PreludeLen); err != nil {
		return 0, nil, err
	}
	typ, n, err := lengthOf(f.ahead)
	if err != nil {
		return 0, nil, err
	}
	if err := f.need(n); err != nil {
		return 0, nil, err
	}
	frame, f.ahead = f.ahead[:n:n], f.ahead[n:]
	f.at += int64(n)
	return typ, frame, nil
}

// need has at least n bytes in ahead.
func (f *frames) need(n int) error {
	if len(f.ahead) >= n {
		return nil
	}
	if f.end-f.at < int64(n) {
		return errTorn
	}
	b := make([]byte, min(max(int64(n), readAhead), f.end-f.at))
	have := copy(b, f.ahead)
	got, err := f.from.ReadAt(b[have:], f.at+int64(have))
	f.ahead = b[:have+got]
	switch {
	case len(f.ahead) >= n:
		return nil
	case err == io.EOF: // the file is shorter than it was
		return errTorn
	}
	return err
}

// skipTo goes on at an offset.
func (f *frames) skipTo(at int64) { f.at, f.ahead = at, nil }
