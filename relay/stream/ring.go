package stream

import (
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"
)

// Limits bound a ring. A zero field takes its default.
type Limits struct {
	Bytes int           // of memory for frames held; default 64 MiB
	Age   time.Duration // by the root's clock; default 60 s: a broken network is mended within it, or not soon. See unreadPart
}

const (
	defaultRingBytes = 64 << 20
	defaultRingAge   = 60 * time.Second
	// ringKeys is how many places to start at a ring keeps when its age bound
	// would drop them: two groups of pictures.
	ringKeys = 2
	// unreadPart of its age is what a ring keeps while it holds nothing that anybody has taken: who has
	// no readers need not wait for them to come back, and who begins wants the newest.
	unreadPart = 2
	// chunkCost is what a chunk takes beside its frame, in bytes: the Chunk, its entry with the room
	// that append leaves, and what the allocator rounds up. Without it, chunks of a byte each would
	// take three times the bound.
	chunkCost = 152
	// sumsCost is what sums take beside their frame, in bytes.
	sumsCost = 64
	// rateWindow is how much of the newest media the bit rate is averaged over.
	rateWindow = 4 * time.Second
)

// Errors of a ring.
var (
	ErrClosed = errors.New("the channel is closed")
	// ErrGap refuses a chunk that neither follows the newest nor is a place to
	// start at: readers could not decode past it.
	ErrGap = errors.New("chunk does not follow and is no key")
	// ErrHeader refuses a chunk whose header has not come.
	ErrHeader = errors.New("chunk's header is not known")
	// ErrEpoch refuses what belongs to an epoch that a later one has replaced.
	ErrEpoch = errors.New("epoch has been replaced")
)

// Position is a place in a channel: the chunk with that number in that epoch. The
// zero Position is before everything.
type Position struct {
	Epoch Epoch
	Seq   uint64
}

// Compare returns -1, 0 or +1 as p is before, at or after q.
func (p Position) Compare(q Position) int {
	if c := p.Epoch.Compare(q.Epoch); c != 0 {
		return c
	}
	switch {
	case p.Seq < q.Seq:
		return -1
	case p.Seq > q.Seq:
		return 1
	}
	return 0
}

// Position returns where in the channel the chunk is.
func (c *Chunk) Position() Position { return Position{c.epoch, c.seq} }

type entry struct {
	chunk  *Chunk
	header *Header
	size   int // what evicting the entry gives back
}

// Ring is a channel's recent chunks: one writer side, any number of cursors. It
// is safe for concurrent use, and never waits for a reader.
type Ring struct {
	limits Limits

	mu      sync.Mutex
	header  *Header
	entries []entry // strictly increasing by Position
	slab    slab    // of the newest chunks
	first   uint64  // index of entries[0] since the ring was made
	key     uint64  // index+1 of the newest key chunk, 0 if there was none
	keys    int     // key chunks held
	bytes   int
	taken   uint64 // index+1 of the newest chunk that a cursor has taken, 0 if there was none
	epoch   uint64 // index of the first chunk of the newest epoch
	window  uint64 // index of the first chunk of the last rateWindow in that epoch
	rated   int    // bytes of payload from there on
	counts  Counts
	came    time.Time // when the newest chunk came
	closed  bool
	notify  chan struct{} // closed by the next change; nil while nobody waits
}

// Counts is what happened to chunks since the ring was made.
type Counts struct {
	Received  uint64 // appended
	Duplicate uint64 // refused because the ring had them already
	Lost      uint64 // numbers that were jumped over
	Bytes     uint64 // payload appended
}

// Stats describes a ring at one moment.
type Stats struct {
	Counts
	Head    Position      // the newest chunk; zero if there is none
	Beat    uint64        // of the newest chunk
	Came    time.Time     // when the newest chunk came; zero if there was none
	Held    int           // chunks held
	Memory  int           // bytes held
	Span    time.Duration // from the oldest to the newest chunk of Head's epoch
	BitRate int           // of the payload over the last seconds, bit/s
}

// NewRing returns an empty ring.
func NewRing(l Limits) *Ring {
	if l.Bytes <= 0 {
		l.Bytes = defaultRingBytes
	}
	if l.Age <= 0 {
		l.Age = defaultRingAge
	}
	return &Ring{limits: l}
}

// SetHeader makes h the header of the chunks that follow. It reports false, and
// does nothing, if the ring has it or a later one.
func (r *Ring) SetHeader(h *Header) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if o := r.header; o != nil {
		if c := h.epoch.Compare(o.epoch); c < 0 || c == 0 && h.gen <= o.gen {
			return false
		}
	}
	r.header = h
	return true
}

// Header returns the newest header, nil if there is none yet.
func (r *Ring) Header() *Header {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.header
}

// Append adds a copy of c as the newest chunk. It reports false, without an error, for a
// chunk that the ring already had or is past. A chunk that does not follow the
// newest by one must be a key chunk, and every chunk needs its header: else
// [ErrGap] or [ErrHeader], and the ring is unchanged.
func (r *Ring) Append(c *Chunk) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false, ErrClosed
	}
	if r.header == nil || c.epoch.Compare(r.header.epoch) > 0 || c.epoch == r.header.epoch && c.gen > r.header.gen {
		return false, fmt.Errorf("chunk %d, header generation %d: %w", c.seq, c.gen, ErrHeader)
	}
	header := r.header
	if n := len(r.entries); n > 0 {
		last := r.entries[n-1]
		if c.Position().Compare(last.chunk.Position()) <= 0 {
			r.counts.Duplicate++
			return false, nil
		}
		if last.header.epoch == c.epoch && last.header.gen == c.gen {
			header = last.header // a newer one may have come ahead of its first chunk
		}
		follows := c.epoch == last.chunk.epoch && c.seq == last.chunk.seq+1
		if !follows && !c.Has(Key) {
			return false, fmt.Errorf("chunk %d after %d: %w", c.seq, last.chunk.seq, ErrGap)
		}
		if c.epoch == last.chunk.epoch {
			r.counts.Lost += c.seq - last.chunk.seq - 1
		}
	}
	if c.epoch != header.epoch {
		return false, fmt.Errorf("chunk %d of %v: %w", c.seq, c.epoch, ErrEpoch)
	}
	if c.gen != header.gen {
		return false, fmt.Errorf("chunk %d, header generation %d, have %d: %w", c.seq, c.gen, header.gen, ErrHeader)
	}
	r.add(c, header)
	return true, nil
}

func (r *Ring) add(c *Chunk, h *Header) {
	c = r.slab.keepChunk(c)
	e := entry{c, h, c.size() + chunkCost}
	var last entry
	if n := len(r.entries); n > 0 {
		last = r.entries[n-1]
	}
	if last.header != h {
		e.size += h.size() + chunkCost
	}
	switch s := c.sums; {
	case s == nil:
	case last.chunk != nil && s.same(last.chunk.sums): // another link may have brought them too
		c.sums = last.chunk.sums
	default:
		e.size += s.size()
	}
	r.entries = append(r.entries, e)
	r.bytes += e.size
	r.came = time.Now()
	r.counts.Received++
	r.counts.Bytes += uint64(len(c.Payload()))
	if c.Has(Key) {
		r.keys++
		r.key = r.first + uint64(len(r.entries))
	}
	r.evict()
	r.rate(c)
	r.wake()
}

// rate moves the window of the bit rate on to the newest chunk.
func (r *Ring) rate(newest *Chunk) {
	r.rated += len(newest.Payload())
	if n := len(r.entries); n > 1 && r.entries[n-2].chunk.epoch != newest.epoch {
		r.epoch = r.first + uint64(n-1)
		r.window, r.rated = r.epoch, len(newest.Payload())
	}
	for {
		if c := r.entries[r.window-r.first].chunk; c == newest || c.age(newest) < rateWindow {
			return
		}
		r.leave(r.window)
	}
}

// leave takes an entry out of the window of the bit rate if it is the first there.
func (r *Ring) leave(i uint64) {
	if i == r.window {
		r.rated -= len(r.entries[i-r.first].chunk.Payload())
		r.window++
	}
}

// age is how much older the chunk is than a later one of its epoch, by the root's clock.
func (c *Chunk) age(newest *Chunk) time.Duration {
	return time.Duration(newest.beat-min(c.beat, newest.beat)) * time.Millisecond
}

// evict drops the oldest entries over the bounds; the newest always stays.
func (r *Ring) evict() {
	newest := r.entries[len(r.entries)-1].chunk
	for len(r.entries) > 1 {
		e := r.entries[0]
		if r.bytes <= r.limits.Bytes {
			left := r.keys
			if e.chunk.Has(Key) {
				left--
			}
			most := r.limits.Age
			if !r.read() {
				most /= unreadPart
			}
			young := e.chunk.epoch == newest.epoch && e.chunk.age(newest) <= most
			if young || left < ringKeys {
				return
			}
		}
		if e.chunk.Has(Key) {
			r.keys--
		}
		r.bytes -= e.size
		r.leave(r.first)
		r.entries[0] = entry{}
		r.entries = r.entries[1:]
		r.first++
	}
}

// read reports whether anybody has taken a chunk that is held.
func (r *Ring) read() bool { return r.taken > r.first }

// Unread reports whether nobody takes what comes: of what is held nothing was taken, and nobody waits for more.
func (r *Ring) Unread() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.read() && r.notify == nil
}

func (r *Ring) wake() {
	if r.notify != nil {
		close(r.notify)
		r.notify = nil
	}
}

// Close ends the ring: cursors read what is there and then get [ErrClosed].
func (r *Ring) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.wake()
}

// Head returns the newest chunk's position, zero if there is none.
func (r *Ring) Head() Position {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.head()
}

func (r *Ring) head() Position {
	if len(r.entries) == 0 {
		return Position{}
	}
	return r.entries[len(r.entries)-1].chunk.Position()
}

// Oldest returns the oldest chunk's position, zero if there is none.
func (r *Ring) Oldest() Position {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.entries) == 0 {
		return Position{}
	}
	return r.entries[0].chunk.Position()
}

// Came returns when the newest chunk came, the zero time if there was none.
func (r *Ring) Came() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.came
}

// Has reports whether the ring is at p or past it: a chunk there would be refused
// as a duplicate.
func (r *Ring) Has(p Position) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.entries) > 0 && p.Compare(r.head()) <= 0
}

// At returns the chunk at p, nil if the ring does not hold one.
func (r *Ring) At(p Position) *Chunk {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := int(r.find(p) - r.first); i < len(r.entries) && r.entries[i].chunk.Position() == p {
		return r.entries[i].chunk
	}
	return nil
}

// Duplicate counts a chunk that was dropped because [Ring.Has] said so.
func (r *Ring) Duplicate() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Duplicate++
}

// Stats returns the ring's figures.
func (r *Ring) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Stats{Counts: r.counts, Head: r.head(), Came: r.came, Held: len(r.entries), Memory: r.bytes}
	n := len(r.entries)
	if n == 0 {
		return s
	}
	newest := r.entries[n-1].chunk
	s.Beat = newest.beat
	s.Span = r.entries[max(r.epoch, r.first)-r.first].chunk.age(newest)
	if ms := r.entries[r.window-r.first].chunk.age(newest).Milliseconds(); ms >= 500 {
		s.BitRate = int(uint64(r.rated) * 8 * 1000 / uint64(ms))
	}
	return s
}

// find returns the index of the first entry at or after p.
func (r *Ring) find(p Position) uint64 {
	i := sort.Search(len(r.entries), func(i int) bool { return r.entries[i].chunk.Position().Compare(p) >= 0 })
	return r.first + uint64(i)
}

// newestKey returns the index of the newest key chunk that is still held.
func (r *Ring) newestKey() (uint64, bool) {
	if r.key == 0 || r.key-1 < r.first {
		return 0, false
	}
	return r.key - 1, true
}
