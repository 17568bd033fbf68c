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
	// signMost is how many children are told of a new lineage at a time. Each takes a signature's 30 µs.
	signMost = 16
)

// descent is what proves how far this node is from the root, and what it proves to its children.
type descent struct {
	// Static.
	root ed25519.PrivateKey // the channel's key, at the source
	node ed25519.PrivateKey // this node's

	// Owned by the channel's goroutine.
	own     *wire.Lineage // this node's, of whatever epoch; nil for none
	renewed time.Time     // when the source made it
	due     []tree.Link   // of children that have not been told of it

	mu       sync.Mutex        // guards what follows, which the readers of links share
	verifier *lineage.Verifier // of the newest epoch that was asked about
}

// check returns how deep a lineage of the present epoch proves that a node is.
func (d *descent) check(r lineage.Run, f wire.Lineage, node tree.ID, now uint64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.of(r).Check(f.Places, node, now)
}

// since returns since when a lineage of the present epoch shows a node to be there, in ms of the root's
// clock; now if it does not.
func (d *descent) since(r lineage.Run, f wire.Lineage, node tree.ID, now uint64) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	since, err := d.of(r).Since(f.Places, node, now)
	if err != nil {
		return now
	}
	return since
}

func (d *descent) of(r lineage.Run) *lineage.Verifier {
	if d.verifier == nil || d.verifier.Run != r {
		d.verifier = lineage.NewVerifier(r)
	}
	return d.verifier
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
		return r, uint64(now.Sub(c.writer.Start()).Milliseconds()), true
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
	switch depth, err := c.descent.check(r, f, c.node.ID(), clock); {
	case errors.Is(err, lineage.ErrExpired), errors.Is(err, lineage.ErrFuture): // it proves nothing
		return nil
	case err != nil:
		return fmt.Errorf("lineage: %w", err)
	default:
		u.lineage.Store(&f)
		c.tell(tree.Proven{Link: u.num, Depth: depth})
		return nil
	}
}

// inherit makes this node's lineage of what its parent has proved, and has the children told.
func (c *Channel) inherit(parent tree.Link) {
	u := c.up[parent]
	if u == nil || parent != c.change.to {
		return
	}
	if f := u.lineage.Load(); f != nil && f != c.descent.own {
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
	if !ok || own == nil || own.Epoch != r.Epoch || !d.knows3() {
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
	if !ok || shown == nil || shown.Epoch != r.Epoch || claimed == 0 {
		return moment{}
	}
	since := c.descent.since(r, *shown, peer, clock)
	j.Age = uint32(min(claimed, (clock-since)/1000))
	return moment{r.Epoch, since}
}

func newLineageLimiter() *rate.Limiter { return rate.NewLimiter(lineageRate, lineageBurst) }
