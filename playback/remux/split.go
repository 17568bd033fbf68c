package remux

import (
	"bytes"

	"relay/ingest/flv"
)

// splitter finds the tags in a stream that comes in pieces. Its zero value is ready.
type splitter struct {
	head [flv.TagHeaderLen]byte // of a tag that is in several pieces
	have int                    // bytes of it, 0 between tags
	tag  []byte                 // that tag so far, once head is complete
}

// next takes the next piece of the stream and calls f for each tag that it completes.
// A tag may share the piece's memory. The file header may only stand at the start of
// a piece.
func (s *splitter) next(b []byte, f func(flv.Tag) error) error {
	if s.have == 0 && bytes.HasPrefix(b, []byte("FLV")) && len(b) >= flv.FileHeaderLen {
		b = b[flv.FileHeaderLen:]
	}
	for len(b) > 0 {
		if s.have == 0 && len(b) >= flv.TagHeaderLen {
			if n := tagLen(b); n <= len(b) {
				if err := f(flv.Tag(b[:n:n])); err != nil {
					return err
				}
				b = b[n:]
				continue
			}
		}
		if s.have < len(s.head) {
			n := copy(s.head[s.have:], b)
			s.have += n
			b = b[n:]
			if s.have == len(s.head) {
				s.tag = append(make([]byte, 0, tagLen(s.head[:])), s.head[:]...)
			}
			continue
		}
		n := min(cap(s.tag)-len(s.tag), len(b))
		s.tag = append(s.tag, b[:n]...)
		b = b[n:]
		if len(s.tag) == cap(s.tag) {
			tag := s.tag
			s.have, s.tag = 0, nil
			if err := f(flv.Tag(tag)); err != nil {
				return err
			}
		}
	}
	return nil
}

func tagLen(head []byte) int { return flv.TagHeaderLen + flv.BodyLen(head) + flv.TagTrailerLen }
