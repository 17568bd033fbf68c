package stream

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"relay/relay/seal"
)

// TagFlags says what a tag means to the cutting of chunks.
type TagFlags uint8

const (
	// StartHere marks a tag at which a decoder that has the header may start. It
	// begins a chunk of its own, with the flag [Key].
	StartHere TagFlags = 1 << iota
	// EndsChunk marks a tag that others should not wait for: the chunk is closed
	// after it. Every video tag has it.
	EndsChunk
	// Gathers marks a tag whose writer says by [Writer.Gathered] when it has nothing more at hand.
	Gathers
)

// unreadFor is how long a tag waits for others at most while nobody takes what the ring has.
const unreadFor = 100 * time.Millisecond

// Writer cuts the source's tags into chunks, numbers and signs them, and puts
// them into the ring. A chunk is closed after a tag marked [EndsChunk], when it is
// full, or else as soon as whoever writes has nothing more at hand: no tag waits for
// one that is still to come, unless nobody takes them. Of a tag in [MinSums] chunks or more, the chunks are made
// together, with [Sums] over them. It is safe for concurrent use.
type Writer struct {
	ring  *Ring
	sign  signer
	start time.Time    // when the epoch began, by the monotonic clock
	slept atomic.Int64 // nanoseconds that the wall clock has gone on beyond that: see Follow
	most  int          // bytes of tags in a chunk

	mu      sync.Mutex
	seq     uint64
	gen     uint32
	header  []byte // in force; its frame may be sealed
	pending []byte
	waits   time.Time // since when there is something pending
	flags   Flags
	group   group
	timer   *time.Timer
	failed  error
}

// NewWriter returns the writer of a new epoch. now becomes its beat 0.
func NewWriter(ring *Ring, key ed25519.PrivateKey, epoch Epoch, now time.Time) *Writer {
	return NewSealedWriter(ring, key, seal.Content{}, epoch, now)
}

// NewSealedWriter returns a writer that seals what it makes, unless content is zero: the channel is
// public then. It must be the only writer of that epoch ever, since two payloads of one number under
// one key would tell of each other.
func NewSealedWriter(ring *Ring, key ed25519.PrivateKey, content seal.Content, epoch Epoch, now time.Time) *Writer {
	w := &Writer{ring: ring, sign: signer{key: key, id: IDOf(key), epoch: epoch}, start: now}
	if !content.IsZero() {
		w.sign.seal = sealOf(content, epoch)
	}
	w.most = MaxPayload - w.sign.sealed()
	w.pending = make([]byte, 0, w.most)
	return w
}

// Epoch returns the epoch the writer was made for.
func (w *Writer) Epoch() Epoch { return w.sign.epoch }

// Start returns the moment of beat 0, if the clock has not been set since: see [Writer.Follow].
func (w *Writer) Start() time.Time { return w.start }

// Clock returns what the root's clock shows at now, as the time since the epoch began.
func (w *Writer) Clock(now time.Time) time.Duration {
	return now.Sub(w.start) + time.Duration(w.slept.Load())
}

// followAfter is how far the root's clock may be behind the wall clock until it is set: less than makes a
// newcomer take the stream for a recording, more than a clock that the network sets is moved by as a rule.
const followAfter = 10 * time.Second

// Follow sets the root's clock ahead if the wall clock has left it behind, and reports whether it did. It counts
// from when the epoch began by the wall clock, and goes by the monotonic one, which stands still while the machine
// sleeps and knows nothing of a wall clock that is set: newcomers would take all that is made from then on for a
// recording. The root's clock never goes back. One goroutine at a time may call it; outside tests now and wall are
// one moment.
func (w *Writer) Follow(now, wall time.Time) bool {
	behind := wall.UnixMilli() - int64(w.sign.epoch.Ms) - w.Clock(now).Milliseconds()
	if behind <= followAfter.Milliseconds() {
		return false
	}
	w.slept.Add(behind * int64(time.Millisecond))
	return true
}

func (w *Writer) beatAt(now time.Time) uint64 {
	return uint64(max(0, w.Clock(now).Milliseconds()))
}

// SetHeader makes payload the header of the tags that follow, as a new
// generation, unless it equals the one in force. payload is copied; it is at most
// [MaxHeaderPayload] bytes, with what sealing adds.
func (w *Writer) SetHeader(payload []byte) error {
	if most := MaxHeaderPayload - w.sign.sealed(); len(payload) > most {
		return fmt.Errorf("header of %d bytes, the most is %d", len(payload), most)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gen > 0 && bytes.Equal(w.header, payload) {
		return nil
	}
	if err := w.flush(); err != nil {
		return err
	}
	w.gen++
	w.header = bytes.Clone(payload)
	w.ring.SetHeader(w.sign.header(w.gen, payload))
	return nil
}

// WriteTag adds one whole tag, copied. A header must have been set.
func (w *Writer) WriteTag(tag []byte, f TagFlags) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gen == 0 {
		return ErrHeader
	}
	if w.failed != nil {
		return w.failed
	}
	if f&StartHere != 0 {
		if err := w.flush(); err != nil {
			return err
		}
		w.flags = Key
	}
	closes := w.closes(len(tag), f)
	for at := 0; at < len(tag); {
		if w.group.left == 0 {
			closes -= w.group.begin(closes)
		}
		if len(w.pending) == 0 {
			if at == 0 {
				w.flags |= Tag
			}
			if w.waits = time.Now(); f&Gathers == 0 {
				w.arm()
			}
		}
		n := min(len(tag)-at, w.most-len(w.pending))
		w.pending = append(w.pending, tag[at:at+n]...)
		at += n
		if len(w.pending) == w.most {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	if f&EndsChunk != 0 {
		return w.flush()
	}
	return nil
}

// closes is how many chunks a tag of n bytes completes.
func (w *Writer) closes(n int, f TagFlags) int {
	n += len(w.pending)
	if f&EndsChunk != 0 {
		n += w.most - 1
	}
	return n / w.most
}

// arm has the chunk closed as soon as the scheduler gets to it: at once on a machine that is
// idle, and on a busy one after what is written before whoever writes has to wait for more. A
// chunk more costs a signature, some 40 µs, and to be woken for it as much again: see [Gathers].
func (w *Writer) arm() {
	if w.timer == nil {
		w.timer = time.AfterFunc(0, func() { w.Flush() })
		return
	}
	w.timer.Reset(0)
}

// Gathered says that whoever writes tags marked [Gathers] has nothing more at hand. The chunk that is being filled is
// closed, unless nobody takes what the ring has: a chunk for each sound, which is more than there are pictures, costs
// a signature that nobody reads. It goes out with the next picture then, with the first tag after somebody has come,
// or with the first that comes unreadFor after it was begun.
func (w *Writer) Gathered() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.waits) < unreadFor && w.ring.Unread() {
		return w.failed
	}
	return w.flush()
}

// Flush closes the chunk that is being filled, if there is one.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush()
}

func (w *Writer) flush() error {
	if w.timer != nil {
		w.timer.Stop()
	}
	if len(w.pending) == 0 || w.failed != nil {
		return w.failed
	}
	c := w.sign.chunk(w.group.frame(), w.flags, w.seq+1+uint64(len(w.group.chunks)), w.beatAt(time.Now()), w.gen, w.pending)
	w.pending, w.flags = w.pending[:0], 0
	if more := w.group.add(c); more {
		return nil
	}
	return w.put()
}

// put puts the chunks that were made into the ring.
func (w *Writer) put() error {
	defer w.group.clear()
	if len(w.group.chunks) > 1 {
		w.sign.sums(w.group.chunks)
	}
	for _, c := range w.group.chunks {
		if _, err := w.ring.Append(c); err != nil {
			w.failed = fmt.Errorf("append chunk %d: %w", c.seq, err)
			return w.failed
		}
		w.seq++
	}
	return nil
}

// Beat signs the root's clock as it stands.
func (w *Writer) Beat() *Beat {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sign.beat(w.seq, w.beatAt(time.Now()))
}
