package wire

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"relay/relay/stream"
	"relay/tree"
)

// Bounds of a view.
const (
	// MaxFacts is how many nodes one view lists. They are the nearest to its sender; the
	// others are summed up. 4096 nodes take some 80 KB, which a link sends in half a
	// minute at less than 1% of a stream.
	MaxFacts = 4096
	// MaxVersion is the longest name of a program's version, in bytes.
	MaxVersion = 16
	// maxVersions is how many different versions a view tells apart. A tree runs a few of
	// them; a liar who adds more only makes the versions of others unknown.
	maxVersions = 64
)

// NodeTag is the start of a node's ID. It is enough to tell the nodes of a tree apart, and
// does not stand for a node in anything that needs proof.
type NodeTag [8]byte

// TagOf returns the start of an ID.
func TagOf(id tree.ID) NodeTag { return NodeTag(id[:8]) }

// String returns the tag's text form, which is that of the node's ID: [tree.ID.Tag].
func (t NodeTag) String() string {
	var start tree.ID
	copy(start[:], t[:])
	return start.Tag()
}

// FactFlags are the flags of a Fact.
type FactFlags uint8

// Flags of a Fact.
const (
	// Orphan: the node, or one above it, has no live parent.
	Orphan FactFlags = 1 << iota
	// Unheard: the node has told nothing of itself yet, and its parent speaks for it.
	Unheard
	flagsEnd
)

// Fact is what one node tells of itself and its ancestors pass on. A number that does not
// fit is told as the greatest that does.
type Fact struct {
	ID       NodeTag
	Down     uint8 // links below the first node of the view, at most tree.MaxPath
	Flags    FactFlags
	Slots    uint16
	Children uint16 // that it has; the view may list fewer
	DelayMs  uint32 // behind the root, rounded up; 0 if it is not known
	Lost     uint32 // chunks, since the node joined the channel
	Upload   uint32 // to its children now, kbit/s, rounded up
	UptimeS  uint32 // seconds, in this channel
	Version  string // of the program: printable ASCII, at most MaxVersion bytes; may be empty
}

// Free is how many more children the node could take.
func (f Fact) Free() int { return max(0, int(f.Slots)-int(f.Children)) }

// Rest is the sum of the nodes that a view does not list.
type Rest struct {
	Nodes   uint32
	Down    uint8  // of the deepest
	DelayMs uint32 // the worst
	Lost    uint32 // of all
	Free    uint32 // slots, of all
}

// View is a node with all nodes below it, as far as it knows them.
type View struct {
	Depth uint8  // of the first node, in links from the root, as it believes
	Nodes []Fact // in preorder: each node is followed by what is below it
	Rest  Rest
}

// Facts goes from child to parent: the child first, then its descendants.
type Facts struct{ View }

// Survey asks a node for its view. It comes instead of a Hello.
type Survey struct{ Channel stream.ChannelID }

// Whole answers a Survey.
type Whole struct{ View }

// Trim cuts the view to the n nodes that are nearest to the first, but at least one, and
// adds the others to Rest. Among nodes as far from the first, the earlier ones stay. It
// changes v.Nodes in place.
func (v *View) Trim(n int) {
	n = max(n, 1)
	if len(v.Nodes) <= n {
		return
	}
	var at [math.MaxUint8 + 1]int // nodes at each depth
	for i := range v.Nodes {
		at[v.Nodes[i].Down]++
	}
	last, room := 0, n // the depth that fits in part, and how much of it
	for room >= at[last] {
		room -= at[last]
		last++
	}
	kept := v.Nodes[:0]
	for _, f := range v.Nodes {
		if d := int(f.Down); d < last || d == last && room > 0 {
			if d == last {
				room--
			}
			kept = append(kept, f)
			continue
		}
		v.Rest.Merge(RestOf(f), 0)
	}
	clear(v.Nodes[len(kept):])
	v.Nodes = kept
}

// RestOf is the rest that one node is.
func RestOf(f Fact) Rest { return Rest{1, f.Down, f.DelayMs, f.Lost, uint32(f.Free())} }

// Merge adds a rest whose depths are counted from down links further below.
func (r *Rest) Merge(o Rest, down int) {
	if o.Nodes == 0 {
		return
	}
	r.Nodes = sum(r.Nodes, o.Nodes)
	r.Down = max(r.Down, uint8(min(int(o.Down)+down, tree.MaxPath)))
	r.DelayMs = max(r.DelayMs, o.DelayMs)
	r.Lost = sum(r.Lost, o.Lost)
	r.Free = sum(r.Free, o.Free)
}

// sum adds, and stops at the greatest number.
func sum(a, b uint32) uint32 {
	s, carry := bits.Add32(a, b, 0)
	if carry != 0 {
		return math.MaxUint32
	}
	return s
}

// Sizes of a view's parts, in bytes. A varint has 7 bits to a byte.
const (
	varint16 = 3
	varint32 = 5
	countMax = 2 // MaxFacts has 13 bits
	factMin  = 8 + 1 + 1 + 1 + 1 + 4 + 1
	factMax  = 8 + 1 + 1 + varint16 + varint16 + 4*varint32 + 1
	restMin  = 4 + 1
	restMax  = 4*varint32 + 1
	viewMin  = 1 + 1 + factMin + restMin
	viewMax  = 1 + countMax + MaxFacts*factMax + maxVersions*(1+MaxVersion) + restMax
)

func appendView(b []byte, v View) []byte {
	if len(v.Nodes) > MaxFacts {
		v.Nodes = slices.Clone(v.Nodes) // others may be reading it
		v.Trim(MaxFacts)
	}
	if len(v.Nodes) == 0 {
		v.Nodes = make([]Fact, 1) // a view has a first node
	}
	b = append(b, min(v.Depth, tree.MaxPath))
	b = binary.AppendUvarint(b, uint64(len(v.Nodes)))
	var told []string // versions
	above := -1
	for _, f := range v.Nodes {
		above = min(max(int(f.Down), min(above+1, 1)), above+1, tree.MaxPath) // the first has 0, none else
		b = append(b, f.ID[:]...)
		b = append(b, byte(above), byte(f.Flags&(flagsEnd-1)))
		b = binary.AppendUvarint(b, uint64(f.Slots))
		b = binary.AppendUvarint(b, uint64(f.Children))
		b = binary.AppendUvarint(b, uint64(f.DelayMs))
		b = binary.AppendUvarint(b, uint64(f.Lost))
		b = binary.AppendUvarint(b, uint64(f.Upload))
		b = binary.AppendUvarint(b, uint64(f.UptimeS))
		name := CleanVersion(f.Version)
		i := slices.Index(told, name)
		switch {
		case name == "" || i < 0 && len(told) == maxVersions:
			b = append(b, 0)
		case i < 0:
			told = append(told, name)
			b = append(b, byte(len(told)), byte(len(name)))
			b = append(b, name...)
		default:
			b = append(b, byte(i+1))
		}
	}
	b = binary.AppendUvarint(b, uint64(v.Rest.Nodes))
	b = append(b, min(v.Rest.Down, tree.MaxPath))
	b = binary.AppendUvarint(b, uint64(v.Rest.DelayMs))
	b = binary.AppendUvarint(b, uint64(v.Rest.Lost))
	return binary.AppendUvarint(b, uint64(v.Rest.Free))
}

// CleanVersion makes a version that may be told out of a text: it takes out all that is not
// printable ASCII, and cuts the text to MaxVersion. The format has no room for anything
// else: a view in which a version is written otherwise is refused.
func CleanVersion(s string) string {
	ok := len(s) <= MaxVersion
	for i := 0; ok && i < len(s); i++ {
		ok = printable(s[i])
	}
	if ok {
		return s
	}
	var b []byte
	for i := 0; i < len(s) && len(b) < MaxVersion; i++ {
		if printable(s[i]) {
			b = append(b, s[i])
		}
	}
	return string(b)
}

func printable(c byte) bool { return c > ' ' && c < 0x7f }

func (p *parser) view() View {
	v := View{Depth: p.down(tree.MaxPath)}
	n := p.varint(MaxFacts)
	if p.err == nil && (n == 0 || int(n)*factMin > len(p.b)) {
		p.fail(fmt.Errorf("%d nodes in %d bytes: %w", n, len(p.b), ErrFrame))
	}
	if p.err != nil {
		return View{}
	}
	v.Nodes = make([]Fact, n) // no more than a few times what has come
	var told []string
	above := -1
	for i := range v.Nodes {
		f := &v.Nodes[i]
		f.ID = NodeTag(p.take(len(f.ID)))
		f.Down = p.down(min(above+1, tree.MaxPath))
		if i > 0 && f.Down == 0 {
			p.fail(fmt.Errorf("two nodes on top: %w", ErrFrame))
		}
		above = int(f.Down)
		if f.Flags = FactFlags(p.u8()); f.Flags >= flagsEnd {
			p.fail(fmt.Errorf("flags %#02x: %w", f.Flags, ErrFrame))
		}
		f.Slots = uint16(p.varint(math.MaxUint16))
		f.Children = uint16(p.varint(math.MaxUint16))
		f.DelayMs = p.varint(math.MaxUint32)
		f.Lost = p.varint(math.MaxUint32)
		f.Upload = p.varint(math.MaxUint32)
		f.UptimeS = p.varint(math.MaxUint32)
		f.Version, told = p.version(told)
		if p.err != nil {
			return View{}
		}
	}
	v.Rest = Rest{
		Nodes: p.varint(math.MaxUint32), Down: p.down(tree.MaxPath), DelayMs: p.varint(math.MaxUint32),
		Lost: p.varint(math.MaxUint32), Free: p.varint(math.MaxUint32),
	}
	return v
}

func (p *parser) down(most int) uint8 {
	d := p.u8()
	if int(d) > most {
		p.fail(fmt.Errorf("%d links down, at most %d here: %w", d, most, ErrFrame))
	}
	return d
}

// varint reads an unsigned LEB128 number, which must be as short as it can be.
func (p *parser) varint(most uint32) uint32 {
	v, n := binary.Uvarint(p.b)
	switch {
	case n == 0:
		p.fail(fmt.Errorf("too short: %w", ErrFrame))
	case n < 0 || v > uint64(most) || n > 1 && p.b[n-1] == 0:
		p.fail(fmt.Errorf("number too great or too long: %w", ErrFrame))
	default:
		p.b = p.b[n:]
		return uint32(v)
	}
	return 0
}

// version reads a version: 0 for none, the number of one that was told before, or the next
// number followed by a new one.
func (p *parser) version(told []string) (string, []string) {
	switch i := int(p.u8()); {
	case i == 0 || p.err != nil:
		return "", told
	case i <= len(told):
		return told[i-1], told
	case i > len(told)+1 || i > maxVersions:
		p.fail(fmt.Errorf("version %d of %d: %w", i, len(told), ErrFrame))
		return "", told
	}
	n := int(p.u8())
	if n == 0 || n > MaxVersion {
		p.fail(fmt.Errorf("version of %d bytes: %w", n, ErrFrame))
		return "", told
	}
	name := string(p.take(n))
	if p.err == nil && (CleanVersion(name) != name || slices.Contains(told, name)) {
		p.fail(fmt.Errorf("version %q: %w", name, ErrFrame))
	}
	return name, append(told, name)
}
