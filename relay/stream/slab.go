package stream

// slabSize is how much memory is taken at a time for what a ring holds, in bytes: sixteen of the longest
// chunks.
const slabSize = 256 << 10

// slab is where a ring keeps bytes, one behind the other. They come and go in order, so that a slab is free
// as a whole. Taken one by one, they would be rounded up and leave holes between each other, a tenth of
// the ring.
type slab struct{ b []byte }

// keep returns a copy of b, of at most slabSize.
func (s *slab) keep(b []byte) []byte {
	if len(b) > cap(s.b)-len(s.b) {
		s.b = make([]byte, 0, slabSize)
	}
	at := len(s.b)
	s.b = append(s.b, b...)
	return s.b[at:len(s.b):len(s.b)]
}

// keep is the chunk with its bytes in the slab.
func (c *Chunk) keep(s *slab) *Chunk {
	kept := *c
	if c.frame != nil {
		kept.frame = s.keep(c.frame)
	} else {
		kept.plain = s.keep(c.plain)
	}
	return &kept
}
