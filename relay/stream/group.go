package stream

// group is the chunks of one picture, made together so that one signature can cover them. Its zero value
// waits for none.
type group struct {
	left   int // chunks that are still to be made
	chunks []*Chunk
	frames [MaxSums][]byte // where they are made; the ring copies them
}

// begin begins a group of the next chunks, of which so many are at hand, and returns how many it takes:
// none if they are too few.
func (g *group) begin(chunks int) int {
	if chunks < MinSums {
		return 0
	}
	g.left = min(chunks, MaxSums)
	return g.left
}

// frame returns where the next chunk is made.
func (g *group) frame() []byte {
	f := &g.frames[len(g.chunks)]
	if *f == nil {
		*f = make([]byte, MaxChunk)
	}
	return *f
}

// add adds a chunk, and reports whether others are still to come.
func (g *group) add(c *Chunk) bool {
	g.chunks = append(g.chunks, c)
	g.left = max(0, g.left-1)
	return g.left > 0
}

// clear makes the group ready for the next.
func (g *group) clear() {
	clear(g.chunks)
	g.chunks = g.chunks[:0]
}
