package playback

import (
	"time"

	"relay/relay/archive"
	"relay/relay/stream"
)

const (
	// shiftLead is how much of what is kept a viewer gets at once, for its buffer. What is behind that comes
	// at the pace of the source: players do not hold an evening.
	shiftLead = 10 * time.Second
	// shiftPause is the longest time between two chunks that a viewer waits: nobody wants to sit through the
	// pauses of an encoder.
	shiftPause = 2 * time.Second
	// shiftGather is how much a viewer gets with one look at the clock.
	shiftGather = 50 * time.Millisecond
	// shiftSealed is how many chunks on end that do not open are left out, as those from before the channel had its
	// secret. Behind more of them the viewer goes on at the present.
	shiftSealed = 1000
)

// chunks is where a feed's chunks come from: a [stream.Cursor], or a timeshift.
type chunks interface {
	Poll() (stream.Item, <-chan struct{}, error)
	Gap() (missed, moves uint64)
}

// timeshift reads a channel from what is kept of it, at the pace of the source, and from its ring once
// it has come to the end of that. It belongs to one goroutine, and has to be closed.
type timeshift struct {
	kept   *kept
	ring   *stream.Ring
	begins time.Time // when the source made what comes first

	past  *archive.Reader // nil while the ring is read
	plain func(stream.Item) (stream.Item, error)
	live  *stream.Cursor
	last  stream.Position // of the newest chunk that was taken
	shut  int             // chunks that did not open, since one did
	asked bool            // whether the archive has what the ring has lost, since then

	ahead         *stream.Item // that is not due yet
	beat          uint64       // of the chunk before
	due           time.Time    // when that was, as the source made it
	missed, moves uint64
}

// newTimeshift begins where past does.
func newTimeshift(k *kept, ring *stream.Ring, past *archive.Reader) *timeshift {
	return &timeshift{kept: k, ring: ring, begins: past.Begins(), past: past, plain: k.plain(), due: time.Now().Add(-shiftLead)}
}

// close lets go of the file. There may be no timeshift.
func (t *timeshift) close() {
	if t != nil && t.past != nil {
		t.past.Close()
		t.past = nil
	}
}

// Poll is as that of [stream.Cursor].
func (t *timeshift) Poll() (stream.Item, <-chan struct{}, error) {
	it := t.ahead
	if it == nil {
		next, wait, err := t.take()
		if wait != nil || err != nil {
			return stream.Item{}, wait, err
		}
		it = &next
		t.pace(next.Chunk)
	}
	if d := time.Until(t.due); d > 0 {
		t.ahead = it
		later := make(chan struct{})
		time.AfterFunc(d+shiftGather, func() { close(later) })
		return stream.Item{}, later, nil
	}
	t.ahead = nil
	t.missed += it.Missed
	return *it, nil, nil
}

// pace moves due on to a chunk that follows the one before.
func (t *timeshift) pace(c *stream.Chunk) {
	step := time.Duration(0)
	if beat := c.Beat(); t.last.Epoch == c.Epoch() && beat > t.beat {
		step = time.Duration(min(beat-t.beat, uint64(shiftPause.Milliseconds()))) * time.Millisecond
	}
	t.due = t.due.Add(step)
	if latest := time.Now().Add(-shiftLead); t.due.Before(latest) { // the viewer has not taken it in time
		t.due = latest
	}
	t.last, t.beat = c.Position(), c.Beat()
}

// take returns the next chunk.
func (t *timeshift) take() (stream.Item, <-chan struct{}, error) {
	for {
		if t.past == nil {
			if oldest := t.ring.Oldest(); !t.asked && oldest.Compare(stream.Position{Epoch: t.last.Epoch, Seq: t.last.Seq + 1}) > 0 {
				t.asked = true
				if past, err := t.kept.archive.After(t.last); err == nil && past != nil {
					t.past = past
					continue
				}
			}
			if t.live == nil {
				t.live = t.ring.Since(t.last)
			}
			it, wait, err := t.live.Poll()
			if wait == nil && err == nil {
				t.asked = false
			}
			return it, wait, err
		}
		it, ok, err := t.past.Next()
		if ok && err == nil {
			if it, err = t.plain(it); err == nil {
				t.asked, t.live, t.shut = false, nil, 0
				return it, nil, nil
			}
			if t.shut++; t.shut <= shiftSealed {
				continue
			}
		}
		t.close() // all is read, nothing of it opens, or the disk fails
		t.live = nil
	}
}

// Gap is as that of [stream.Cursor].
func (t *timeshift) Gap() (missed, moves uint64) { return t.missed, t.moves }
