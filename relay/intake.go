package relay

import (
	"fmt"
	"sync/atomic"
	"time"

	"relay/relay/stream"
	"relay/relay/wire"
)

// intake takes what parents send into the ring, and keeps what that tells of the root's
// clock. The readers of all uplinks share it.
type intake struct {
	// Static.
	id      stream.ChannelID
	ring    *stream.Ring
	started time.Time        // arrived is counted from here
	wall    func() time.Time // this machine's wall clock
	// Set before the channel runs.
	floor      stream.Epoch // the latest that was seen in earlier runs of this program
	recordings bool         // what is not live is taken too

	signed  signedClock
	clock   atomic.Pointer[rootClock] // set by the channel's goroutine
	beat    atomic.Pointer[stream.Beat]
	about   atomic.Pointer[stream.About] // the newest, of whatever epoch
	news    atomic.Pointer[wire.Later]   // of the newest epoch; set by the channel's goroutine
	delay   atomic.Int64                 // of the newest chunk, nanoseconds
	headers atomic.Uint64                // bytes of the headers that were taken
	arrived atomic.Int64                 // when the newest chunk came from a parent, nanoseconds
	hole    hole

	// For the channel's goroutine.
	beats    chan *stream.Beat // the newest that it has not passed on
	first    chan struct{}     // holds one when the channel's first chunk has come
	switched chan struct{}     // holds one when a link has brought its first
	abouts   chan struct{}     // holds one when about is another
}

func newIntake(id stream.ChannelID, ring *stream.Ring, started time.Time) intake {
	return intake{
		id:       id,
		ring:     ring,
		started:  started,
		wall:     time.Now,
		beats:    make(chan *stream.Beat, 1),
		first:    make(chan struct{}, 1),
		switched: make(chan struct{}, 1),
		abouts:   make(chan struct{}, 1),
	}
}

// chunk takes a chunk that came over u. It is verified before it is stored, and so before
// any child can see it. One that the ring already has is dropped. One that does not follow waits for
// those between, if it is the first that comes over u.
func (in *intake) chunk(c *stream.Chunk, u *uplink) error {
	if in.ring.Has(c.Position()) {
		return in.repeated(c, u)
	}
	if err := u.sums.verify(in.id, c); err != nil {
		return fmt.Errorf("chunk %d: %w", c.Seq(), err)
	}
	now := time.Now()
	if err := in.present(c.Epoch(), c.Beat(), recordingAfter+ringAge); err != nil { // it may come before a beat
		return err
	}
	if !u.proved.Load() {
		if kept, err := in.keep(now, c, u); kept || err != nil {
			return err
		}
	}
	if err := in.put(now, keptChunk{c, u}); err != nil {
		return err
	}
	in.fill(now)
	return nil
}

// put puts a chunk that was verified into the ring.
func (in *intake) put(now time.Time, b keptChunk) error {
	c, head := b.chunk, in.ring.Head()
	added, err := in.ring.Append(c)
	if err != nil || !added {
		return err
	}
	in.signed.note(now, c.Epoch(), ms(c.Beat()))
	in.noteDelay(now, c)
	in.noteArrival(now, c, c.Epoch() == head.Epoch && c.Seq() == head.Seq+1, b.by)
	if head.Seq == 0 { // others may come now
		signal(in.first)
	}
	return nil
}

func (in *intake) header(h *stream.Header) error {
	if old := in.ring.Header(); old != nil {
		if c := h.Epoch().Compare(old.Epoch()); c < 0 || c == 0 && h.Gen() <= old.Gen() {
			return nil // another parent brought it, or a later one
		}
	}
	if err := h.Verify(in.id); err != nil {
		return fmt.Errorf("header %d: %w", h.Gen(), err)
	}
	if err := in.begun(h.Epoch()); err != nil {
		return err
	}
	if h.Epoch().Compare(in.floor) < 0 {
		return in.present(h.Epoch(), 0, 0)
	}
	in.ring.SetHeader(h)
	in.headers.Add(uint64(len(h.Frame())))
	return nil
}

// takeBeat takes the root's signed clock, which is passed on to the children once.
func (in *intake) takeBeat(b *stream.Beat) error {
	old := in.beat.Load()
	if old != nil && (b.Epoch().Compare(old.Epoch()) < 0 || b.Epoch() == old.Epoch() && b.Ms() <= old.Ms()) {
		return nil
	}
	if err := b.Verify(in.id); err != nil {
		return fmt.Errorf("beat: %w", err)
	}
	if err := in.begun(b.Epoch()); err != nil {
		return err
	}
	if err := in.present(b.Epoch(), b.Ms(), recordingAfter); err != nil {
		return err
	}
	in.signed.note(time.Now(), b.Epoch(), ms(b.Ms()))
	if in.beat.CompareAndSwap(old, b) {
		in.passBeat(b)
	}
	return nil
}

// passBeat hands a beat to the channel's goroutine; a newer one replaces one that still
// waits.
func (in *intake) passBeat(b *stream.Beat) {
	for {
		select {
		case in.beats <- b:
			return
		default:
		}
		select {
		case <-in.beats:
		default:
		}
	}
}

// noteDelay records how old a chunk was, by the root's clock, when it came.
func (in *intake) noteDelay(now time.Time, c *stream.Chunk) {
	if age, ok := in.age(now, c); ok {
		in.delay.Store(int64(max(age, 1)))
	}
}

// noteArrival records that a chunk came over u that the ring did not have. For the link's
// first one, it also records how long none had come. follows says that the chunk is the
// next of the same epoch.
func (in *intake) noteArrival(now time.Time, c *stream.Chunk, follows bool, u *uplink) {
	at := now.Sub(in.started)
	before := time.Duration(in.arrived.Swap(int64(at)))
	if u.brought.Load() {
		return
	}
	gap := at - before
	if age, ok := in.age(now, c); ok && follows {
		gap = min(gap, age) // nobody can have missed it before it was made
	}
	u.gap.Store(int64(max(0, gap)))
	u.brought.Store(true)
	signal(in.switched)
}

// age is how long ago a chunk was made, if the root's clock is known.
func (in *intake) age(now time.Time, c *stream.Chunk) (time.Duration, bool) {
	k := in.clock.Load()
	if k == nil {
		return 0, false
	}
	return k.at(now) - time.Duration(c.Beat())*time.Millisecond, true
}

// quiet is how long ago the ring's newest chunk was made, as far as that is known: at least what the
// root's newest signature shows, since a newcomer has chunks before it has a clock, and may have some of the
// run before the present one. It is 0 if not even that is known.
func (in *intake) quiet(now time.Time, st stream.Stats) time.Duration {
	if st.Head.Seq == 0 {
		return 0
	}
	k, b := in.clock.Load(), in.beat.Load()
	var shows time.Duration // by the root's machine, since 1970
	switch {
	case b != nil && (k == nil || b.Epoch().Compare(k.epoch) > 0):
		shows = ms(b.Epoch().Ms) + ms(b.Ms())
	case k != nil:
		shows = ms(k.epoch.Ms) + k.at(now)
	default:
		return 0
	}
	return max(1, shows-ms(st.Head.Epoch.Ms)-ms(st.Beat))
}

// missing reports whether the root has chunks that have not come.
func (in *intake) missing(head stream.Position) bool {
	b := in.beat.Load()
	if b == nil || b.Head() == 0 {
		return false
	}
	c := b.Epoch().Compare(head.Epoch)
	return c > 0 || c == 0 && b.Head() > head.Seq
}

// rootClock is the root's clock as the tree knew it at one moment.
type rootClock struct {
	when  time.Time
	beat  time.Duration
	epoch stream.Epoch // since which it counts
}

func (k *rootClock) at(now time.Time) time.Duration { return k.beat + now.Sub(k.when) }

// signal puts a token into a channel that holds one.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
