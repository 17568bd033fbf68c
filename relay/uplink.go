package relay

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/nameplate"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// passMost is how many chunks are taken in before they are passed on, if so many have come together.
// Each takes its signature's 60 µs, unless sums cover it.
const passMost = sweepMost / stream.MaxChunk

const (
	// repeatRate and repeatBurst bound what a peer may send again over one link, per second.
	repeatRate  = 2
	repeatBurst = 16
)

// uplink is a link to this node's parent, or to a node that could be. This node has opened it, or the
// other has offered it.
type uplink struct {
	link
	intake *intake
	sample func(wire.Sample)
	probed func(wire.Probed)
	calls  func(wire.Frame) // what has to do with calls
	later  func(wire.Later) error
	double func(wire.Double) error
	placed func(wire.Lineage) error
	// introduced takes what the source says of the channel, and what the parent calls itself.
	introduced func(wire.Frame) error
	stolen     func(error) // looks whether an error is a StolenError
	place      tree.Place  // that was dialled, as somebody has named it
	begun      time.Time

	name     atomic.Pointer[nameplate.Plate] // what the other side calls itself; nil for nothing
	seen     netip.AddrPort                  // where the other side says that it sees this node; owned by the channel's goroutine
	provedAt time.Time                       // when proveTo had it dial back; owned by the channel's goroutine

	overlap overlap // owned by the channel's goroutine

	pulse   pulse
	sweeper *sweeper
	fresh   int // chunks that have come and were not passed on; owned by the reader

	// Owned by the reader.
	last       stream.Position // the newest chunk that came over this link
	lastHeader *stream.Header  // likewise
	sums       sums
	repeats    *rate.Limiter

	lineages *rate.Limiter                // that come; owned by the reader
	lineage  atomic.Pointer[wire.Lineage] // the newest that proves this node's depth

	asked     stream.Position // chunks after it; set before feeding
	corrected bool            // it was told of a later epoch than its beats; owned by the reader
	delivered func()          // called once at most, when the first of them has come

	// nodes takes nodes of the DHT, which the channel's goroutine has asked for once they are sought.
	nodes            func(wire.DHTNodes) error
	sought, answered atomic.Bool

	recalling atomic.Pointer[recalling] // a part of what was that is on its way, nil for none

	repeated atomic.Uint64 // chunks, sums, headers and beats that had come over this link before
	feeding  atomic.Bool   // chunks are welcome
	proved   atomic.Bool   // one of those chunks has come
	told     atomic.Bool   // and the tree has heard of it
	// showed is the latest beat that has come over the link, whether another has brought it or not.
	showed  atomic.Pointer[stream.Beat]
	brought atomic.Bool  // one has come that the ring did not have
	gap     atomic.Int64 // how long none had come then, nanoseconds; see ParentChanged.Gap
}

// pull asks the node at the other end for the chunks after have.
func (u *uplink) pull(have stream.Position) {
	if !u.feeding.Load() {
		u.asked = have
	}
	u.feeding.Store(true)
	u.send(tree.Pull{Have: tree.Position{Epoch: tree.Epoch(have.Epoch), Seq: have.Seq}})
}

func (u *uplink) take(f wire.Frame) error {
	switch f := f.(type) {
	case *stream.Chunk:
		if !u.feeding.Load() {
			return fmt.Errorf("chunk %d was not pulled: %w", f.Seq(), wire.ErrNotDue)
		}
		return u.chunk(f)
	case *stream.Header:
		if !u.feeding.Load() {
			return fmt.Errorf("header %d was not pulled: %w", f.Gen(), wire.ErrNotDue)
		}
		return u.header(f)
	case *stream.Beat:
		return u.beat(f)
	case *stream.About, wire.Names:
		if !u.feeding.Load() {
			return fmt.Errorf("%T: %w", f, wire.ErrNotDue)
		}
		if err := u.allow(); err != nil {
			return err
		}
		return u.introduced(f)
	case *stream.Sums:
		if !u.feeding.Load() {
			return fmt.Errorf("sums from %d on were not pulled: %w", f.First().Seq, wire.ErrNotDue)
		}
		return u.takeSums(f)
	case wire.Kept:
		return u.takeKept(f)
	case wire.Recalled:
		return u.takeRecalled()
	case wire.DHTNodes:
		return u.nodes(f)
	case wire.Gap:
		return nil // the ring counts what is missing by the numbers that the root has signed
	case wire.Sample:
		if !u.feeding.Load() {
			return fmt.Errorf("sample: %w", wire.ErrNotDue)
		}
		if err := u.allow(); err != nil {
			return err
		}
		u.sample(f)
		return nil
	case wire.Double:
		return u.double(f)
	case wire.Lineage:
		if err := u.allow(); err != nil {
			return err
		}
		return u.placed(f)
	case wire.Later:
		if err := u.allow(); err != nil {
			return err
		}
		return u.later(f)
	case wire.Seen, wire.Called, wire.Meet, wire.Ready:
		if err := u.allow(); err != nil {
			return err
		}
		u.calls(f)
		return nil
	case wire.Probed:
		if err := u.allow(); err != nil {
			return err
		}
		u.probed(f)
		return nil
	}
	return fmt.Errorf("%T: %w", f, wire.ErrNotDue)
}

// chunk takes a chunk into the ring. The first that was asked for shows that the node at the
// other end delivers, even if another link was quicker. It has to be the root's, then.
func (u *uplink) chunk(c *stream.Chunk) error {
	if c.Position().Compare(u.last) <= 0 {
		if err := u.repeat("chunk"); err != nil {
			return err
		}
	} else {
		u.last = c.Position()
	}
	if err := u.intake.chunk(c, u); err != nil {
		u.stolen(err)
		return err
	}
	if u.fresh++; u.fresh >= passMost {
		u.passOn()
	}
	if u.told.Load() || c.Position().Compare(u.asked) <= 0 || !u.intake.ring.Has(c.Position()) {
		return nil
	}
	if err := c.Verify(u.intake.id); err != nil {
		return fmt.Errorf("chunk %d: %w", c.Seq(), err)
	}
	u.proved.Store(true)
	if !u.told.Swap(true) {
		u.delivered()
	}
	return nil
}

// header takes a header.
func (u *uplink) header(h *stream.Header) error {
	if o := u.lastHeader; o != nil && (h.Epoch().Compare(o.Epoch()) < 0 || h.Epoch() == o.Epoch() && h.Gen() <= o.Gen()) {
		return u.repeat("header")
	}
	if err := u.intake.header(h); err != nil {
		return err
	}
	u.lastHeader = h
	return nil
}

// beat takes a beat. A node that is in an epoch which was replaced is told so, once.
func (u *uplink) beat(b *stream.Beat) error {
	if err := u.intake.takeBeat(b); err != nil {
		return err
	}
	if s := u.showed.Load(); s == nil || newer(b, s) {
		u.showed.Store(b)
	} else if err := u.repeat("beat"); err != nil {
		return err
	}
	if n := u.intake.news.Load(); n != nil && !u.corrected && b.Epoch().Compare(n.Beat.Epoch()) < 0 && u.knows3() {
		u.corrected = true
		u.send(*n)
	}
	return nil
}

// passOn has the children written what has come. The reader does that itself: to wake another
// goroutine for it takes longer.
func (u *uplink) passOn() {
	if u.fresh > 0 {
		u.fresh = 0
		u.sweeper.now()
	}
}

// newer reports whether one beat was signed after the other.
func newer(b, than *stream.Beat) bool {
	c := b.Epoch().Compare(than.Epoch())
	return c > 0 || c == 0 && b.Ms() > than.Ms()
}

// repeat counts a chunk, sums, header or beat that does not go beyond what came over this very link before.
// No honest node sends one, but for the beat ahead of a second welcome.
func (u *uplink) repeat(what string) error {
	u.repeated.Add(1)
	if !u.repeats.Allow() {
		return fmt.Errorf("%s: too many repeated: %w", what, wire.ErrNotDue)
	}
	return nil
}

func (u *uplink) ended(tree.End) {}

func (u *uplink) write() error {
	for {
		select {
		case f := <-u.out:
			if err := u.say(f); err != nil {
				return err
			}
		case <-u.ctx.Done():
			return context.Cause(u.ctx)
		}
	}
}
