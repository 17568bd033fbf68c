package relay

import (
	"sync/atomic"
	"time"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// Each node tells its parent how many watch at it and below it. The source signs the sum of what it is told, as
// [stream.About], which goes down to all: everybody shows one number, and nobody on the way can alter it.

const (
	// nodeWatching and treeWatching are how many who watch count at most, of one node, and of a channel: more
	// than one node has been seen to serve, and than a tree is made for.
	nodeWatching = 10_000
	treeWatching = 1_000_000
	// aboutPause and aboutEvery bound how often the source signs one: when it says something else, and
	// when it does not, so that one that is withheld is known by its age. After aboutLife it counts for
	// nothing. Each takes a node a signature's 60 µs.
	aboutPause = time.Second
	aboutEvery = 10 * time.Second
	aboutLife  = 30 * time.Second
)

// untold is what a child of an older version says of how many watch, and one that has said nothing yet.
const untold = -1

// audience is how many watch, as far as this node has been told.
type audience struct {
	here atomic.Pointer[func() int] // at this node; nil if nobody counts

	// Owned by the channel's goroutine.
	counted uint32 // at this node, and below it
	parent  *link  // that was told last
	told    uint32 // how many
	signed  time.Time
}

// CountWatching has f say how many watch at this node. It must not block. Without it one watches at each node
// but the source.
func (c *Channel) CountWatching(f func() int) { c.audience.here.Store(&f) }

// watchingHere is how many watch at this node.
func (c *Channel) watchingHere() uint32 {
	n := 1
	if f := c.audience.here.Load(); f != nil {
		n = (*f)()
	} else if c.writer != nil {
		n = 0
	}
	return uint32(min(max(n, 0), nodeWatching))
}

// believable is how many count of those who watch at a child and below it, as it says: at most nodeWatching for
// each node that it has told of. Of one that has said nothing, each of its nodes counts as one. below is how
// many nodes it says that it has below it, and v what it has told of them.
func believable(told int64, below uint32, v wire.View) uint64 {
	listed := uint64(max(len(v.Nodes), 1)) + uint64(v.Rest.Nodes)
	nodes := min(1+uint64(below), listed)
	if told == untold {
		return nodes
	}
	return min(uint64(told), nodes*nodeWatching)
}

// countAudience counts who watches, and tells the parent; at the source it signs the sum. The channel's
// goroutine calls it every gaugeInterval.
func (c *Channel) countAudience(now time.Time, info tree.Info) {
	a, n := &c.audience, uint64(c.watchingHere())
	for _, ch := range info.Children {
		if d := c.down[ch.Link]; d != nil && ch.Pulling {
			t, _ := c.reporting.facts.get(&d.link)
			n = min(n+believable(d.watching.Load(), ch.Report.Below, t.view), treeWatching)
		}
	}
	a.counted = uint32(n)
	if c.writer != nil {
		said := c.intake.about.Load()
		if said == nil || now.Sub(a.signed) >= aboutEvery || said.Watching() != a.counted && now.Sub(a.signed) >= aboutPause {
			a.signed = now
			c.intake.about.Store(c.writer.About(a.counted, c.node.cfg.HideNames))
		}
	} else if u := c.parentLink(info); u != nil && u.knows6() && (a.parent != &u.link || a.told != a.counted) {
		a.parent, a.told = &u.link, a.counted
		u.send(wire.Audience{Watching: a.counted})
	}
	c.tellChildren()
}

// tellChildren tells each child what the source says of the channel, and this node's name, if that is new
// to it.
func (c *Channel) tellChildren() {
	about := c.about()
	for _, d := range c.down { // in any order
		if !d.served || !d.knows6() {
			continue
		}
		if about != nil && d.said.about != about {
			d.said.about = about
			d.send(about)
		}
		c.tellOwnName(d)
	}
}

// about is what the source has said last in the present epoch; nil for nothing.
func (c *Channel) about() *stream.About {
	a, b := c.intake.about.Load(), c.intake.beat.Load()
	if a == nil || b == nil || a.Epoch() != b.Epoch() {
		return nil
	}
	return a
}

// watching is how many watch the channel, by what the source has signed, but never fewer than at this node
// alone. It is false if the source has said nothing of late.
func (c *Channel) watching(now time.Time) (int, bool) {
	a := c.about()
	_, clock, ok := c.run(now)
	if a == nil || !ok || clock > a.Ms()+uint64(aboutLife.Milliseconds()) {
		return 0, false
	}
	return int(max(a.Watching(), c.watchingHere())), true
}

// takeAbout takes what the source has signed. Readers of links call it.
func (in *intake) takeAbout(a *stream.About) error {
	for {
		b, old := in.beat.Load(), in.about.Load()
		if b == nil || a.Epoch() != b.Epoch() || !a.After(old) {
			return nil
		}
		if err := a.Verify(in.id); err != nil {
			return err
		}
		if in.about.CompareAndSwap(old, a) {
			signal(in.abouts)
			return nil
		}
	}
}
