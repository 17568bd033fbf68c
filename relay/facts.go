package relay

import (
	"hash/fnv"
	"math"
	"slices"
	"sync"
	"time"

	"relay/relay/wire"
	"relay/tree"
)

const (
	// factsInterval is how often a node tells its parent of the tree below it when
	// nothing there has changed.
	factsInterval = 2 * time.Second
	// factsRate bounds what that costs a link, in bytes a second over time: 8 kbit/s,
	// 0.3% of a stream. A large tree is told less often, but within factsSlowest, which
	// makes 22 kbit/s of the most that is told, 4096 nodes.
	factsRate    = 1000
	factsSlowest = 30 * time.Second
	// factsFrames bounds what a child may send, frames a second: an honest one sends
	// two at most. One that sends more is cut, for each has to be parsed.
	factsFrames = 10
	// factsKept is how many records a channel holds for all its children together,
	// twice what can be told on: 400 KB. Liars can stretch it: each child has its fair
	// share even when others have taken all, which makes 3 MB for a thousand of them.
	factsKept = 2 * wire.MaxFacts
	// factSize is what a record takes in a frame, in bytes, within a quarter.
	factSize = 20
)

// factBook is what a channel's children have told of themselves and those below.
type factBook struct {
	mu   sync.Mutex
	kept int // records, of all links
	of   map[*link]told
}

// told is what one child said last. Nobody changes it any more.
type told struct {
	view  wire.View
	shape uint64 // see shapeOf
}

// put takes a child's view. The child is who the link says, whatever it says itself.
func (b *factBook) put(l *link, v wire.View) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of == nil {
		b.of = make(map[*link]told)
	}
	others := b.kept - len(b.of[l].view.Nodes)
	links := len(b.of)
	if _, ok := b.of[l]; !ok {
		links++
	}
	// A child may fill what is free; when that is little, it still has its fair share.
	if most := max(factsKept-others, factsKept/links); len(v.Nodes) > most {
		v.Trim(most)
		v.Nodes = slices.Clone(v.Nodes)
	}
	v.Nodes[0].ID = wire.TagOf(l.peer)
	v.Nodes[0].Flags &^= wire.Unheard
	b.of[l] = told{v, shapeOf(v.Nodes)}
	b.kept = others + len(v.Nodes)
}

// drop forgets a link whose reader has ended.
func (b *factBook) drop(l *link) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept -= len(b.of[l].view.Nodes)
	delete(b.of, l)
}

func (b *factBook) get(l *link) (told, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, ok := b.of[l]
	return t, ok
}

// shapeOf is a number that is another one when other nodes are there, or elsewhere.
func shapeOf(nodes []wire.Fact) uint64 {
	h := fnv.New64a()
	var b [9]byte
	for _, f := range nodes {
		copy(b[:], f.ID[:])
		b[8] = f.Down
		h.Write(b[:])
	}
	return h.Sum64()
}

// teller is when the parent was last told. The channel's driving goroutine owns it.
type teller struct {
	parent *link
	shape  uint64
	at     time.Time
	size   int // bytes, about
}

// due reports whether the parent should be told now of a tree of that shape.
func (t *teller) due(now time.Time, parent *link, shape uint64) bool {
	if parent != t.parent {
		return true
	}
	wait := time.Duration(t.size) * time.Second / factsRate
	if shape == t.shape {
		wait = max(wait, factsInterval)
	}
	return now.Sub(t.at) >= min(wait, factsSlowest)
}

// reportFacts tells the parent of this node and the tree below it, if that is due.
// The driving goroutine calls it from time to time.
func (c *Channel) reportFacts() {
	now := time.Now()
	info := c.tree.Info()
	sent := make(map[tree.Link]uint64, len(info.Children))
	for _, ch := range info.Children {
		if d := c.down[ch.Link]; d != nil {
			sent[ch.Link] = d.sent.Load()
		}
	}
	c.upload.measure(now, sent)
	parent := c.parentLink(info)
	if parent == nil {
		return
	}
	children := c.children(info)
	shape := shapeOfChildren(children)
	if !c.teller.due(now, &parent.link, shape) {
		return
	}
	f := wire.Facts{View: join(c.ownFact(info, now), info.Depth, children)}
	f.Trim(wire.MaxFacts)
	c.teller.parent, c.teller.shape, c.teller.at = &parent.link, shape, now
	c.teller.size = factSize * (1 + len(f.Nodes))
	parent.send(f)
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

// child is one child's part of a view.
type child struct {
	told
	fact wire.Fact // what stands for it if it has told nothing
}

// children collects what the children have told. They are those that pull.
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
		k.told, _ = c.facts.get(&d.link)
		all = append(all, k)
	}
	return all
}

func shapeOfChildren(all []child) uint64 {
	h := fnv.New64a()
	var b [8]byte
	for _, k := range all {
		h.Write(k.fact.ID[:])
		for i := range b {
			b[i] = byte(k.shape >> (8 * i))
		}
		h.Write(b[:])
	}
	return h.Sum64()
}

// ownFact is what the node tells of itself.
func (c *Channel) ownFact(info tree.Info, now time.Time) wire.Fact {
	f := wire.Fact{
		ID:      wire.TagOf(info.ID),
		Slots:   uint16(min(max(info.Slots, 0), math.MaxUint16)),
		Lost:    clip32(float64(c.ring.Stats().Lost)),
		Upload:  c.upload.kbits(),
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

// join puts a node's own fact above its children's views.
func join(own wire.Fact, depth int, children []child) wire.View {
	own.Children = uint16(min(len(children), math.MaxUint16))
	n := 1
	for _, k := range children {
		n += max(1, len(k.view.Nodes))
	}
	v := wire.View{Depth: uint8(min(depth, tree.MaxPath)), Nodes: make([]wire.Fact, 1, n)}
	v.Nodes[0] = own
	for _, k := range children {
		if len(k.view.Nodes) == 0 {
			v.Nodes = append(v.Nodes, k.fact)
			continue
		}
		for _, f := range k.view.Nodes {
			if f.Down == tree.MaxPath {
				v.Rest.Merge(wire.RestOf(f), 1) // no tree is so deep: somebody below makes it up
				continue
			}
			f.Down++
			v.Nodes = append(v.Nodes, f)
		}
		v.Rest.Merge(k.view.Rest, 1)
	}
	return v
}

// clip32 makes a number fit, as the greatest that does.
func clip32(v float64) uint32 {
	return uint32(min(max(v, 0), math.MaxUint32))
}
