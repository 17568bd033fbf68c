package relay

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"relay/relay/archive"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// recallAgain is the pause between two parts, and recallLater that after there was nobody to ask, or
	// nothing to ask for.
	recallAgain = 100 * time.Millisecond
	recallLater = 10 * time.Second
	// recallSilent is how long a parent may send nothing of a part before it is given up: it may have
	// a crowd of children that fall behind.
	recallSilent = 2 * time.Minute
	// recallForgives is how long a parent that had nothing of a part is not asked for it again.
	recallForgives = 10 * time.Minute
	// recallHeld is how many chunks wait for the disk. If that is slower, the part is given up.
	recallHeld = 64
)

// recalling is a part that is on its way over an uplink: from the moment when it is asked for until the
// parent has said that it has ended.
type recalling struct {
	come chan wire.Kept // closed at the end
	lost atomic.Bool    // some of it had no place in come
}

// takeKept takes in what comes of a part, on the link's reader, which must not wait for the disk.
func (u *uplink) takeKept(k wire.Kept) error {
	in := u.recalling.Load()
	if in == nil {
		return fmt.Errorf("what was kept was not asked for: %w", wire.ErrNotDue)
	}
	select {
	case in.come <- k:
	default:
		in.lost.Store(true)
	}
	return nil
}

// takeRecalled notes the end of a part.
func (u *uplink) takeRecalled() error {
	in := u.recalling.Swap(nil)
	if in == nil {
		return fmt.Errorf("what was kept was not asked for: %w", wire.ErrNotDue)
	}
	close(in.come)
	return nil
}

// recall fetches what the archive lacks from whoever is the parent, until the channel ends, or the disk does
// not take it.
func (c *Channel) recall() {
	a := c.history.archive
	var asked *uplink
	var since time.Time
	for pause := recallLater; ; {
		select {
		case <-time.After(pause):
		case <-c.done:
			return
		}
		var u *uplink
		c.query(func(n *tree.Node) { u = c.parentLink(n.Info()) })
		if u != asked || time.Since(since) > recallForgives {
			asked, since = u, time.Now()
			a.Forgive()
		}
		pause = recallLater
		if of, ok := a.Missing(); ok && u != nil && u.knows6() {
			switch more, err := c.fetch(u, of); {
			case err != nil:
				c.log.Debug("nothing more is fetched of what was", zap.Error(err))
				return
			case more:
				pause = recallAgain
			}
		}
	}
}

// fetch fetches the end of a part from a parent. It reports whether there may be more to be had at once. An
// error says that the disk does not take it.
func (c *Channel) fetch(u *uplink, of archive.Span) (more bool, err error) {
	in := &recalling{come: make(chan wire.Kept, recallHeld)}
	if !u.recalling.CompareAndSwap(nil, in) {
		return false, nil // one that was given up comes still
	}
	part, err := c.history.archive.Insert(of)
	if err != nil {
		u.recalling.Store(nil)
		return false, err
	}
	u.send(wire.Recall{After: of.After, Before: of.Before})
	whole, err := c.collect(u, in, part)
	put, late := part.Commit() // what has come is of use, even if that is not all
	if whole && !put {
		c.history.archive.Absent(of.Before)
	}
	return whole, errors.Join(err, late)
}

// collect puts what comes of a part into the archive, and reports whether the parent has sent it to its end.
// A parent that sends what the channel's source has not signed, or not what was asked for, is no parent. An
// error says that the disk does not take it.
func (c *Channel) collect(u *uplink, in *recalling, part *archive.Insertion) (whole bool, err error) {
	silent := time.NewTimer(recallSilent)
	defer silent.Stop()
	var header *stream.Header
	used := true // a chunk has needed it
	for {
		var k wire.Kept
		var more bool
		select {
		case k, more = <-in.come:
		case <-silent.C:
			return false, nil
		case <-u.ctx.Done():
			return false, nil
		}
		silent.Reset(recallSilent)
		switch {
		case in.lost.Load():
			return false, nil
		case !more:
			return true, nil
		case k.Header != nil && !used:
			err = archive.ErrNoPart
		case k.Header != nil:
			header, used, err = k.Header, false, k.Header.Verify(c.id)
		case header == nil:
			err = archive.ErrNoPart
		default:
			used = true
			if err = k.Chunk.Verify(c.id); err == nil {
				err = part.Add(header, k.Chunk)
			}
		}
		switch {
		case errors.Is(err, archive.ErrNoPart):
			u.cancel(fmt.Errorf("%w: %w", wire.ErrNotDue, err))
			return false, nil
		case errors.Is(err, stream.ErrSignature):
			u.cancel(fmt.Errorf("what was kept: %w", err))
			return false, nil
		case err != nil:
			return false, err
		}
	}
}
