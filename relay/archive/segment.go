package archive

import (
	"errors"
	"io"
	"os"

	"relay/relay/stream"
)

// placeEvery is how far apart places to start are at least in an index, in ms: a stream of sound could
// start at every chunk.
const placeEvery = 1000

// segment is one file. All but the newest are never changed. The archive's mu guards the newest.
type segment struct {
	path        string
	size        int64 // bytes that are whole frames
	total       int64 // bytes of the file
	first, last mark  // zero while there is no chunk
	places      []place
	header      int64 // offset of the newest header
}

// note takes in a chunk that was written at an offset.
func (s *segment) note(c *stream.Chunk, off int64) {
	m := markOf(c)
	m.at = max(m.at, s.last.at) // a source's clock may be set back
	if s.first == (mark{}) {
		s.first = m
	}
	s.last = m
	if n := len(s.places); c.Has(stream.Key) && n < maxPlaces && (n == 0 || m.at >= s.places[n-1].at+placeEvery || m.pos.Epoch != s.places[n-1].pos.Epoch) {
		s.places = append(s.places, place{m, off, s.header})
	}
}

// openSegment finds out what is in a file that was written before. One without chunks has no first.
func openSegment(path string, id stream.ChannelID) (*segment, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, ErrFormat
	}
	s, err := readSegment(f, fi.Size(), id)
	if err == nil {
		s.path = path
	}
	return s, err
}

// readSegment finds out what is in a file of that size.
func readSegment(f io.ReaderAt, size int64, id stream.ChannelID) (*segment, error) {
	of, err := readPreface(f)
	if err != nil {
		return nil, err
	}
	if of != id {
		return nil, errors.New("it is of another channel")
	}
	s := &segment{total: size}
	if readIndex(f, size, s) {
		return s, nil
	}
	s = &segment{total: size}
	return s, s.walk(f)
}

// walk goes from frame to frame. It ends where there is no whole frame, or one that does not rise.
func (s *segment) walk(f io.ReaderAt) error {
	r := frames{from: f, at: int64(prefaceLen), end: s.total}
	for {
		s.size = r.at
		typ, frame, err := r.next()
		switch {
		case errors.Is(err, ErrFormat) || err == io.EOF || typ == frameIndex:
			return nil
		case err != nil:
			return err
		case typ == stream.FrameHeader:
			s.header = s.size
		default:
			c, err := stream.ParseChunk(frame)
			if err != nil || s.header == 0 || s.first != (mark{}) && c.Position().Compare(s.last.pos) <= 0 {
				return nil
			}
			s.note(c, s.size)
		}
	}
}
