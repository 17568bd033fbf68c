package relay

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"relay/relay/wire"
	"relay/tree"
)

// grown is a node of a large tree: what a channel does with facts, without links.
type grown struct {
	id    tree.ID
	link  *link // to its parent
	book  factBook
	tell  reporter
	below []*grown
	depth int
	sent  int // bytes to its parent
}

func (g *grown) children() []child {
	var all []child
	for _, b := range g.below {
		k := child{fact: wire.Fact{ID: wire.TagOf(b.id), Down: 1, Flags: wire.Unheard}}
		k.told, _ = g.book.get(b.link)
		all = append(all, k)
	}
	return all
}

func (g *grown) view() wire.View {
	own := wire.Fact{ID: wire.TagOf(g.id), Slots: 8, DelayMs: uint32(20 * g.depth), Upload: 12_000, UptimeS: 1000, Version: "0.1.0"}
	return join(own, g.depth, g.children())
}

// step is what a node does from time to time.
func (g *grown) step(now time.Time, parent *grown) {
	for _, b := range g.below {
		b.step(now, g)
	}
	if parent == nil {
		return
	}
	shape := shapeOfChildren(g.children())
	if !g.tell.due(now, g.link, shape) {
		return
	}
	v := g.view()
	v.Trim(wire.MaxFacts)
	g.tell.note(now, g.link, shape, len(v.Nodes))
	frame := wire.Append(nil, wire.Facts{View: v})
	g.sent += len(frame)
	f, err := wire.Parse(frame)
	if err != nil {
		panic(err)
	}
	parent.book.put(g.link, f.(wire.Facts).View)
}

// count is how many nodes there are, with those below.
func (g *grown) count() int {
	n := 1
	for _, b := range g.below {
		n += b.count()
	}
	return n
}

// growLarge makes a tree of n nodes with 2 to 8 children each.
func growLarge(n int) (root *grown, all []*grown) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range n {
		g := &grown{}
		binary.BigEndian.PutUint32(g.id[:], uint32(i+1))
		g.link = &link{peer: g.id}
		if i > 0 {
			at := (i - 1) / 5
			for len(all[at].below) >= 8 || at > 0 && rnd.IntN(3) == 0 {
				at = (at + 1) % i
			}
			g.depth = all[at].depth + 1
			all[at].below = append(all[at].below, g)
		}
		all = append(all, g)
	}
	return all[0], all
}

// The root of a tree of thousands knows of every node, hears within half a minute
// that a part has gone, and no link carries more than 1% of a 3 Mb/s stream for that.
func TestThousandsOfNodesAreShown(t *testing.T) {
	const n = 5000
	root, all := growLarge(n)
	now := time.Unix(1, 0)
	run := func(seconds int) {
		for range seconds {
			now = now.Add(time.Second)
			root.step(now, nil)
		}
	}
	const settle = 30
	run(settle)
	v := root.view()
	deepest := 0
	for _, g := range all {
		deepest = max(deepest, g.depth)
	}
	if got := len(v.Nodes) + int(v.Rest.Nodes); got != n {
		t.Errorf("the root knows %d of %d nodes", got, n)
	}
	if got := int(v.Rest.Down); v.Rest.Nodes > 0 && got != deepest {
		t.Errorf("the deepest of those that are not listed is %d down, want %d", got, deepest)
	}
	for _, g := range all {
		g.sent = 0
	}
	const long = 30
	run(long)
	most := 0
	for _, g := range all {
		most = max(most, 8*g.sent/long)
	}
	if most > 30_000 {
		t.Errorf("a link carries %d bit/s", most)
	}
	// A part of the tree goes, and soon is shown no more.
	gone := root.below[0].below[0]
	root.below[0].below = root.below[0].below[1:]
	root.below[0].book.drop(gone.link)
	lost := gone.count()
	took, known := 0, n
	for known != n-lost && took < int(factsSlowest/time.Second) {
		run(1)
		took++
		v := root.view()
		known = len(v.Nodes) + int(v.Rest.Nodes)
	}
	if known != n-lost {
		t.Errorf("after %d s the root knows %d of %d nodes", took, known, n-lost)
	}
	t.Logf("%d nodes, %d deep, %d of the root's; at most %d bit/s on a link; %d nodes that went were gone from the root's view after %d s",
		n, deepest, len(root.below), most, lost, took)
}
