package relay

import (
	"math"
	"time"

	"relay/relay/wire"
	"relay/tree"
)

const (
	// factsInterval is how often a node tells its parent of the tree below it when
	// nothing there has changed.
	factsInterval = 2 * time.Second
	// factsRate bounds what that costs a link, in bytes a second over time: 8 kbit/s, 0.3% of
	// a stream. A large tree is told less often, but within factsSlowest. For the most that
	// is told, 4096 nodes, that comes to 22 kbit/s.
	factsRate    = 1000
	factsSlowest = 30 * time.Second
	// factSize is what a record takes in a frame, in bytes, within a quarter.
	factSize = 20
)

// reporting is what the node tells of the tree below it, and how it learns of the whole.
type reporting struct {
	facts  factBook
	survey survey

	// Owned by the channel's goroutine.
	upload uploadMeter
	parent reporter
}

// reporter is when the parent was last told, and of what. The channel's goroutine owns it.
type reporter struct {
	parent *link
	shape  uint64
	at     time.Time
	size   int // bytes, about
}

// due reports whether the parent should be told now of a tree of that shape.
func (r *reporter) due(now time.Time, parent *link, shape uint64) bool {
	if parent != r.parent {
		return true
	}
	wait := time.Duration(r.size) * time.Second / factsRate
	if shape == r.shape {
		wait = max(wait, factsInterval)
	}
	return now.Sub(r.at) >= min(wait, factsSlowest)
}

// note records that the parent is now told of a tree of that shape and that many nodes.
func (r *reporter) note(now time.Time, parent *link, shape uint64, nodes int) {
	*r = reporter{parent: parent, shape: shape, at: now, size: factSize * (1 + nodes)}
}

// report measures the upload, and tells the parent of this node and the tree below it
// if that is due. The channel's goroutine calls it every gaugeInterval.
func (c *Channel) report(now time.Time) {
	r, info := &c.reporting, c.tree.Info()
	sent := make(map[tree.Link]uint64, len(info.Children))
	for _, ch := range info.Children {
		if d := c.down[ch.Link]; d != nil {
			sent[ch.Link] = d.sent.Load()
		}
	}
	r.upload.measure(now, sent)
	c.renameSelf(now)
	c.countAudience(now, info)
	u := c.parentLink(info)
	if u == nil {
		return
	}
	defer c.tellNames(u)
	children := c.children(info)
	shape := shapeOfChildren(children)
	if !r.parent.due(now, &u.link, shape) {
		return
	}
	f := wire.Facts{View: join(c.ownFact(info, now), info.Depth, children)}
	f.Trim(wire.MaxFacts)
	r.parent.note(now, &u.link, shape, len(f.Nodes))
	u.send(f)
	c.names.listed(&u.link, f.Nodes)
}

// children collects what the children have told. Only nodes that pull are children.
func (c *Channel) children(info tree.Info) []child {
	var all []child
	for _, ch := range info.Children {
		d := c.down[ch.Link]
		if d == nil || !ch.Pulling {
			continue
		}
		k := child{fact: wire.Fact{
			ID: wire.TagOf(d.peer), Down: 1, Flags: wire.Unheard,
			Slots: ch.Report.Slots, Children: ch.Report.Children, Lost: clip32(float64(ch.Report.Lost)),
		}}
		k.told, _ = c.reporting.facts.get(&d.link)
		all = append(all, k)
	}
	return all
}

// ownFact is what the node tells of itself.
func (c *Channel) ownFact(info tree.Info, now time.Time) wire.Fact {
	f := wire.Fact{
		ID:      wire.TagOf(info.ID),
		Slots:   uint16(min(max(usable(info, c.Reach()), 0), math.MaxUint16)),
		Lost:    clip32(float64(c.ring.Stats().Lost)),
		Upload:  c.reporting.upload.kbits(),
		UptimeS: clip32(now.Sub(c.started).Seconds()),
		Version: c.node.cfg.Version,
	}
	if c.writer == nil {
		f.DelayMs = clip32(math.Ceil(float64(c.intake.delay.Load()) / float64(time.Millisecond)))
	}
	if !info.Attached {
		f.Flags |= wire.Orphan
	}
	return f
}

// usable is how many slots are told of: a stranger cannot take one at a node that nobody gets
// through to.
func usable(info tree.Info, r tree.Reach) int {
	if r == tree.Closed {
		return min(info.Slots, len(info.Children))
	}
	return info.Slots
}

// parentLink is the link to the committed parent, nil if there is none.
func (c *Channel) parentLink(info tree.Info) *uplink {
	if info.Parent.ID.IsZero() {
		return nil
	}
	for _, u := range c.up {
		if u.peer == info.Parent.ID && u.feeding.Load() && u.ctx.Err() == nil {
			return u
		}
	}
	return nil
}
