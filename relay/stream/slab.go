package stream

// slabSize is how much memory is taken at a time for what a ring holds, in bytes: sixteen of the longest
// chunks.
const slabSize = 256 << 10

// slabChunks is for how many chunks memory is taken at a time, beside their bytes.
const slabChunks = 16

// slab is where a ring keeps bytes, one behind the other. They come and go in order, so that a slab is free
// as a whole. Taken one by one, they would be rounded up and leave holes between each other, a tenth of
// the ring.
type slab struct {
	b      []byte
	chunks []Chunk // that are not used yet
}

// keep returns a copy of b, of at most slabSize.
func (s *slab) keep(b []byte) []byte {
	if len(b) > cap(s.b)-len(s.b) {
		s.b = make([]byte, 0, slabSize)
	}
	at := len(s.b)
	s.b = append(s.b, b...)
	return s.b[at:len(s.b):len(s.b)]
}

// keepChunk returns a copy of c.
func (s *slab) keepChunk(c *Chunk) *Chunk {
	if len(s.chunks) == 0 {
		s.chunks = make([]Chunk, slabChunks)
	}
	kept := &s.chunks[0]
	s.chunks = s.chunks[1:]
	*kept = *c
	if c.frame != nil {
		kept.frame = s.keep(c.frame)
	} else {
		kept.plain = s.keep(c.plain)
	}
	return kept
}
