package relay

import (
	"fmt"
	"time"

	"relay/relay/stream"
	"relay/relay/wire"
)

// takeChunk is the way of a chunk from a parent into the ring. It runs on the
// link's reader. A chunk is verified before it is stored, and so before any child
// can see it; one that the ring has already is dropped unread.
func (l *link) takeChunk(c *stream.Chunk) error {
	if !l.feeding.Load() {
		return fmt.Errorf("chunk %d was not pulled: %w", c.Seq(), wire.ErrNotDue)
	}
	ring := l.ch.ring
	head := ring.Head()
	had := head.Seq > 0
	if ring.Has(stream.Position{Epoch: c.Epoch(), Seq: c.Seq()}) {
		ring.Duplicate()
		return nil
	}
	if err := c.Verify(l.ch.id); err != nil {
		return fmt.Errorf("chunk %d: %w", c.Seq(), err)
	}
	added, err := ring.Append(c)
	if err != nil || !added {
		return err
	}
	l.ch.noteDelay(c)
	l.noteArrival(c, had && c.Epoch() == head.Epoch && c.Seq() == head.Seq+1)
	if !had { // others may come now
		select {
		case l.ch.first <- struct{}{}:
		default:
		}
	}
	return nil
}

func (l *link) takeHeader(h *stream.Header) error {
	if !l.feeding.Load() {
		return fmt.Errorf("header %d was not pulled: %w", h.Gen(), wire.ErrNotDue)
	}
	if old := l.ch.ring.Header(); old != nil {
		if c := h.Epoch().Compare(old.Epoch()); c < 0 || c == 0 && h.Gen() <= old.Gen() {
			return nil // another parent brought it, or a later one
		}
	}
	if err := h.Verify(l.ch.id); err != nil {
		return fmt.Errorf("header %d: %w", h.Gen(), err)
	}
	if err := h.Epoch().Check(time.Now()); err != nil {
		return err
	}
	l.ch.ring.SetHeader(h)
	return nil
}

// takeBeat passes the root's signed clock on to the children, once.
func (c *Channel) takeBeat(b *stream.Beat) error {
	old := c.beat.Load()
	if old != nil && (b.Epoch().Compare(old.Epoch()) < 0 || b.Epoch() == old.Epoch() && b.Ms() <= old.Ms()) {
		return nil
	}
	if err := b.Verify(c.id); err != nil {
		return fmt.Errorf("beat: %w", err)
	}
	if err := b.Epoch().Check(time.Now()); err != nil {
		return err
	}
	if c.beat.CompareAndSwap(old, b) {
		c.passBeat(b)
	}
	return nil
}

// noteDelay records how old a chunk was, by the root's clock, when it came.
func (c *Channel) noteDelay(ch *stream.Chunk) {
	k := c.clock.Load()
	if k == nil {
		return
	}
	d := k.at(time.Now()) - time.Duration(ch.Beat())*time.Millisecond
	c.delay.Store(int64(max(d, 1)))
}

// rootClock is the root's clock as the tree knew it at one moment.
type rootClock struct {
	when time.Time
	beat time.Duration
}

func (k *rootClock) at(now time.Time) time.Duration { return k.beat + now.Sub(k.when) }
