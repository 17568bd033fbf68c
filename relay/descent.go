package relay

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/lineage"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// lineageRate and lineageBurst bound the lineages that are checked of one parent, per second. What
	// comes beyond is dropped: the next is as good.
	lineageRate  = 2
	lineageBurst = 10
	// placeRate and placeBurst bound the places in the lineages of joiners that are checked, per second, some
	// 60 µs each. A joiner beyond that counts as one that has just come.
	placeRate  = 300
	placeBurst = 2000
	// signMost is how many children are told of a new lineage at a time. Each takes a signature's 30 µs.
	signMost = 16
)

// descent is what proves how far this node is from the root, and what it proves to its children.
type descent struct {
	// Static.
	root ed25519.PrivateKey // the channel's key, at the source
	node ed25519.PrivateKey // this node's

	// Owned by the channel's goroutine.
	own     *wire.Lineage // this node's newest, of whatever epoch; nil for none
	holds   bool          // it is of where the node is now
	renewed time.Time     // when the source made it
	due     []tree.Link   // of children that have not been told of it

	parents, joiners checked
	strangers        *rate.Limiter // of the places that joiners show
}

// checked checks lineages, and remembers what was good. The readers of links share that of parents; what
// joiners show is apart, so that it neither keeps those waiting nor has what they remember forgotten.
type checked struct {
	mu sync.Mutex
	by *lineage.Verifier // of the newest run that was asked about
}

// in calls f with the verifier of a run.
func (k *checked) in(r lineage.Run, f func(*lineage.Verifier)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.by == nil || k.by.Run != r {
		k.by = lineage.NewVerifier(r)
	}
	f(k.by)
}

// run is the run of the channel that this node is in, and what the root's clock shows there by
// signatures alone, in ms. It is false while nothing signed has come.
func (c *Channel) run(now time.Time) (r lineage.Run, clock uint64, ok bool) {
	b := c.intake.beat.Load()
	if b == nil {
		return r, 0, false
	}
	r = lineage.Run{Channel: c.id, Epoch: b.Epoch()}
	if c.writer != nil {
		return r, uint64(c.writer.Clock(now).Milliseconds()), true
	}
	return r, max(b.Ms(), uint64(c.intake.signed.least(now, b.Epoch()).Milliseconds())), true
}

// takeLineage takes what a parent, or a node that could be, proves of this node's place below it. It
// runs on the link's reader.
func (c *Channel) takeLineage(u *uplink, f wire.Lineage) error {
	r, clock, ok := c.run(time.Now())
	if !ok || f.Epoch != r.Epoch || !u.lineages.Allow() {
		return nil
	}
	if by := f.Places.By(); by != u.peer { // this node's own, or another's, come back
		return fmt.Errorf("lineage by %s: %w", by.Short(), lineage.ErrSignature)
	}
	var depth int
	var err error
	c.descent.parents.in(r, func(v *lineage.Verifier) { depth, err = v.Check(f.Places, c.node.ID(), clock) })
	switch {
	case errors.Is(err, lineage.ErrExpired), errors.Is(err, lineage.ErrFuture): // it proves nothing
		return nil
	case err != nil:
		return fmt.Errorf("lineage: %w", err)
	}
	u.lineage.Store(&f)
	c.tell(tree.Proven{Link: u.num, Depth: depth, For: f.Places.Left(clock), Age: f.Places.Age(clock)})
	return nil
}

// inherit makes this node's lineage of what its parent has proved, and has the children told. Below a
// parent that has proved nothing it has none to give them: an old one would show another place. It
// keeps what it has shown of its age.
func (c *Channel) inherit(parent tree.Link) {
	u := c.up[parent]
	if u == nil || parent != c.change.to {
		return
	}
	f := u.lineage.Load()
	c.descent.holds = f != nil
	if f != nil && f != c.descent.own {
		c.descent.own = f
		c.proveAnew()
	}
}

// renew makes the source's lineage when it is time.
func (c *Channel) renew(now time.Time) {
	d := &c.descent
	r, clock, ok := c.run(now)
	if d.root == nil || !ok || !d.renewed.IsZero() && now.Sub(d.renewed) < lineage.Renewal {
		return
	}
	d.renewed = now
	d.holds = true
	d.own = &wire.Lineage{Epoch: r.Epoch, Places: r.Root(d.root, c.node.ID(), clock)}
	c.proveAnew()
}

// proveAnew has all children told of a new lineage.
func (c *Channel) proveAnew() {
	c.descent.due = slices.AppendSeq(c.descent.due[:0], maps.Keys(c.down))
}

// prove tells some of the children of their lineage that have to be. It reports whether there are more.
func (c *Channel) prove(now time.Time) (more bool) {
	due := c.descent.due
	some := due[:min(signMost, len(due))]
	for _, num := range some {
		if d := c.down[num]; d != nil && d.served {
			c.place(now, d)
		}
	}
	c.descent.due = due[len(some):]
	return len(due) > len(some)
}

// place sends a child, or one that may become one, its lineage, if this node has one itself.
func (c *Channel) place(now time.Time, d *downlink) {
	r, clock, ok := c.run(now)
	own := c.descent.own
	if !ok || !c.descent.holds || own.Epoch != r.Epoch || !d.knows3() {
		return
	}
	if d.came.Epoch != r.Epoch {
		d.came = moment{r.Epoch, clock}
	}
	if l := r.Child(own.Places, c.descent.node, d.peer, clock, d.came.clock); l != nil {
		d.send(wire.Lineage{Epoch: r.Epoch, Places: l})
	}
}

// moment is a time by the root's clock, in ms.
type moment struct {
	Epoch stream.Epoch
	clock uint64
}

// believeAge returns since when a joiner is known to be in the tree, by the lineage that it shows: a claim of its
// own counts for nothing.
func (c *Channel) believeAge(j *tree.Join, shown *wire.Lineage, peer tree.ID) moment {
	r, clock, ok := c.run(time.Now())
	claimed := uint64(j.Age)
	j.Age = 0
	if !ok || shown == nil || shown.Epoch != r.Epoch || claimed == 0 || !c.descent.strangers.AllowN(time.Now(), shown.Places.Depth()+1) {
		return moment{}
	}
	var since uint64
	var err error
	c.descent.joiners.in(r, func(v *lineage.Verifier) { since, err = v.Since(shown.Places, peer, clock) })
	if err != nil {
		return moment{}
	}
	j.Age = uint32(min(claimed, (clock-since)/1000))
	return moment{r.Epoch, since}
}
