package relay

import (
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/archive"
	"relay/relay/stream"
	"relay/relay/wire"
)

const (
	// recallSpan is how much of what is kept is asked for at a time.
	recallSpan = 10 * time.Second
	// recallShare is the part of the upload that is lent for it, where that is known, and recallPart the
	// part of the stream's rate where it is not; recallNear is how many times that rate it is within a network.
	recallShare, recallPart, recallNear = 8, 4, 4
	// recallLeast is the least of it, in bytes a second, and recallBurst what goes out at once.
	recallLeast, recallBurst = 16 << 10, 64 << 10
	// recallPause is how long nothing of it goes out after a child has fallen behind in what is live, and
	// recallLook how often that is looked at.
	recallPause = 2 * time.Second
	recallLook  = 100 * time.Millisecond
	// recallCost is what a question counts as, in bytes: the disk is searched for the answer, even if there is none.
	recallCost = 32 << 10
	// recallQueue is how many frames of it may wait on a link, beside what the tree says.
	recallQueue = 4
)

// history is what a node keeps of a channel on disk, and lends to its children.
type history struct {
	archive *archive.Archive // nil for none; set before the channel runs

	near, far *rate.Limiter // of what is lent, bytes a second
	strained  atomic.Int64  // when a child was last behind, since the channel began, nanoseconds
}

func newHistory() history {
	return history{near: rate.NewLimiter(recallLeast, recallBurst), far: rate.NewLimiter(recallLeast, recallBurst)}
}

// Keep says that the channel is kept in an archive by whoever calls it. What that lacks comes from parents
// that keep the channel, too, in the background, and children get from it what theirs lack. Call it before
// the channel runs; the archive must not be closed before Run has returned.
func (c *Channel) Keep(a *archive.Archive) { c.history.archive = a }

// lend says what may be lent, given the stream's rate and the upload beyond this network, 0 if not known,
// both in bit/s, and how the children keep up. It runs on the channel's goroutine.
func (h *history) lend(since time.Duration, bps, upload int, children []childLoad) {
	if h.archive == nil {
		return
	}
	far := bps / 8 / recallPart
	if upload > 0 {
		far = upload / 8 / recallShare
	}
	h.far.SetLimit(rate.Limit(max(far, recallLeast)))
	h.near.SetLimit(rate.Limit(max(bps/8*recallNear, recallLeast)))
	for _, c := range children {
		if c.Backlog > keptUp && c.Caught {
			h.strained.Store(int64(since))
		}
	}
}

// turn waits until n bytes of what was may go to a child: it and all others have what is live. It reports
// false when the link has ended.
func (h *history) turn(d *downlink, n int) bool {
	limit := h.far
	if d.near {
		limit = h.near
	}
	if limit.WaitN(d.ctx, min(n, recallBurst)) != nil {
		return false
	}
	for {
		l := d.load()
		calm := h.strained.Load() == 0 || d.now()-time.Duration(h.strained.Load()) > recallPause
		if calm && l.Backlog <= keptUp && l.Busy <= idleWithin && len(d.out) < recallQueue {
			return d.ctx.Err() == nil
		}
		select {
		case <-time.After(recallLook):
		case <-d.ctx.Done():
			return false
		}
	}
}

// takeRecall begins to answer a child that asks for what was. It runs on the link's reader.
func (c *Channel) takeRecall(d *downlink, f wire.Recall) error {
	if d.pulled.Load() == 0 || d.recalls.Swap(true) {
		return wire.ErrNotDue // it takes no stream, or has asked before
	}
	c.wg.Go(func() { // ends with the link
		some := c.history.answer(d, archive.Span{After: f.After, Before: f.Before})
		d.recalls.Store(false)
		d.send(wire.Recalled{Some: some})
	})
	return nil
}

// answer sends a child the end of a part, and reports whether there was something of it.
func (h *history) answer(d *downlink, of archive.Span) (some bool) {
	if h.archive == nil || !h.turn(d, recallCost) {
		return false
	}
	r, err := h.archive.Last(of, recallSpan)
	if r == nil || err != nil {
		return false
	}
	defer r.Close()
	var header *stream.Header // that the child has
	for {
		it, ok, err := r.Next()
		if !ok || err != nil || it.Chunk.Position().Compare(of.Before) >= 0 {
			return some
		}
		if it.Header != header {
			if !h.turn(d, len(it.Header.Frame())) {
				return some
			}
			header = it.Header
			d.send(wire.Kept{Header: header})
		}
		if !h.turn(d, len(it.Chunk.Frame())) {
			return some
		}
		some = true
		d.send(wire.Kept{Chunk: it.Chunk})
	}
}
