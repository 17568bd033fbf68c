package relay

import (
	"hash/fnv"
	"math"
	"slices"
	"sync"

	"relay/relay/nameplate"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// factsFrames bounds what a child may send, frames a second: an honest one sends two at
	// most. One that sends more is cut, because every frame has to be parsed.
	factsFrames = 10
	// factsKept is how many records a channel holds for all its children together: twice what
	// can be passed on, 400 KB. Liars can stretch it, since each child has its fair share
	// even when others have taken all. A thousand of them make it 3 MB.
	factsKept = 2 * wire.MaxFacts
)

// factBook is what a channel's children have told of themselves and those below.
type factBook struct {
	mu   sync.Mutex
	kept int // records, of all links
	of   map[*link]told
}

// told is what one child said last. It is never changed, but for the names: they are the book's.
type told struct {
	view  wire.View
	shape uint64                           // see shapeOf
	named map[wire.NodeTag]nameplate.Plate // of nodes in the view
}

// put takes a child's view. Who the child is, the link says and not the view.
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
	t := told{view: v, shape: shapeOf(v.Nodes)}
	if was := b.of[l]; t.shape == was.shape {
		t.named = was.named
	} else if len(was.named) > 0 {
		t.named = make(map[wire.NodeTag]nameplate.Plate)
		for _, f := range v.Nodes {
			if p, ok := was.named[f.ID]; ok {
				t.named[f.ID] = p
			}
		}
	}
	b.of[l] = t
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

// lacks reports whether a link has listed a node of which it has shown no plate that is as new.
func (b *factBook) lacks(l *link, id wire.NodeTag, p nameplate.Plate) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.of[l]
	return p.At() > t.named[id].At() && slices.ContainsFunc(t.view.Nodes, func(f wire.Fact) bool { return f.ID == id })
}

// name keeps a plate that a link has shown.
func (b *factBook) name(l *link, id wire.NodeTag, p nameplate.Plate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, ok := b.of[l]
	if !ok {
		return
	}
	if t.named == nil {
		t.named = make(map[wire.NodeTag]nameplate.Plate)
		b.of[l] = t
	}
	t.named[id] = p
}

// plate is the newest that links have shown of a node; "" for none.
func (b *factBook) plate(id wire.NodeTag) (p nameplate.Plate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range b.of {
		p = nameplate.Later(p, t.named[id])
	}
	return p
}

// names calls f with the plates that were shown, in any order, until it returns false. f must not call the
// book.
func (b *factBook) names(f func(wire.NodeTag, nameplate.Plate) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range b.of {
		for id, p := range t.named {
			if !f(id, p) {
				return
			}
		}
	}
}

// shapeOf is a hash of which nodes there are and how deep each stands: it changes when a
// node comes, goes or moves.
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

// child is one child's part of a view.
type child struct {
	told
	fact wire.Fact // what stands for it if it has told nothing
}

// shapeOfChildren is such a hash of a node's children and all below them.
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
				v.Rest.Merge(wire.RestOf(f), 1) // no tree is so deep: somebody below has made it up
				continue
			}
			f.Down++
			v.Nodes = append(v.Nodes, f)
		}
		v.Rest.Merge(k.view.Rest, 1)
	}
	return v
}

// clip32 returns the uint32 that is nearest to a number.
func clip32(v float64) uint32 {
	return uint32(min(max(v, 0), math.MaxUint32))
}
