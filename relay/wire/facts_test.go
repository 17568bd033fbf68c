package wire_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// view returns a view of n nodes with numbers of every length.
func (m maker) view(n int) wire.View {
	u32 := func() uint32 { return m.Uint32() >> m.IntN(32) }
	v := wire.View{
		Depth: uint8(m.IntN(tree.MaxPath + 1)),
		Rest:  wire.Rest{Nodes: u32(), Down: uint8(m.IntN(tree.MaxPath + 1)), DelayMs: u32(), Lost: u32(), Free: u32()},
	}
	versions := []string{"", "0.1.0", "0.2.0-rc1", strings.Repeat("9", wire.MaxVersion)}
	for i := range n {
		f := wire.Fact{
			ID: wire.TagOf(m.id32()), Flags: wire.FactFlags(m.IntN(4)), Slots: m.u16(), Children: m.u16(),
			DelayMs: u32(), Lost: u32(), Upload: u32(), UptimeS: u32(), Version: versions[m.IntN(len(versions))],
		}
		if i > 0 {
			f.Down = uint8(1 + m.IntN(min(int(v.Nodes[i-1].Down)+1, tree.MaxPath)))
		}
		v.Nodes = append(v.Nodes, f)
	}
	return v
}

// comb is a view of n nodes that has some at every depth.
func comb(n int) wire.View {
	v := wire.View{Nodes: []wire.Fact{{Slots: 1}}}
	for i := 1; i < n; i++ {
		v.Nodes = append(v.Nodes, wire.Fact{
			ID: wire.NodeTag{byte(i >> 8), byte(i)}, Down: uint8(1 + (i-1)%tree.MaxPath), Slots: 3, Children: 1,
			DelayMs: uint32(i), Lost: 2, Version: fmt.Sprint("v", i),
		})
	}
	return v
}

func TestLargestViewPasses(t *testing.T) {
	v := newMaker(t).view(wire.MaxFacts)
	for i := range v.Nodes {
		f := &v.Nodes[i]
		f.Slots, f.Children = math.MaxUint16, math.MaxUint16
		f.DelayMs, f.Lost, f.Upload, f.UptimeS = math.MaxUint32, math.MaxUint32, math.MaxUint32, math.MaxUint32
		f.Version = fmt.Sprintf("%016d", i%64)
	}
	v.Rest = wire.Rest{Nodes: math.MaxUint32, Down: tree.MaxPath, DelayMs: math.MaxUint32, Lost: math.MaxUint32, Free: math.MaxUint32}
	b := wire.Append(nil, wire.Whole{View: v})
	for _, r := range specTable(t) {
		if r.name == "whole" && len(b) != r.most+stream.PreludeLen {
			t.Errorf("the largest view has %d bytes, the specification says %d", len(b)-stream.PreludeLen, r.most)
		}
	}
	if got, err := wire.Parse(b); err != nil || !reflect.DeepEqual(got, wire.Whole{View: v}) {
		t.Fatalf("%v", err)
	}
}

func TestSenderMendsAView(t *testing.T) {
	long := comb(wire.MaxFacts + 500)
	before := slices.Clone(long.Nodes)
	cut := wire.View{Nodes: slices.Clone(long.Nodes)}
	cut.Trim(wire.MaxFacts)
	for i := range cut.Nodes { // only so many versions are told
		if i > 64 {
			cut.Nodes[i].Version = ""
		}
	}
	for name, c := range map[string]struct{ sent, want wire.View }{
		"too long":    {long, cut},
		"empty":       {wire.View{}, wire.View{Nodes: []wire.Fact{{}}}},
		"wrong depth": {wire.View{Depth: 255, Nodes: []wire.Fact{{Down: 9}, {Down: 9}, {Down: 0}}, Rest: wire.Rest{Down: 200}}, wire.View{Depth: 64, Nodes: []wire.Fact{{}, {Down: 1}, {Down: 1}}, Rest: wire.Rest{Down: 64}}},
		"bad version": {wire.View{Nodes: []wire.Fact{{Version: "\x1b[31m é0123456789abcdef"}}}, wire.View{Nodes: []wire.Fact{{Version: "[31m0123456789ab"}}}},
		"bad flags":   {wire.View{Nodes: []wire.Fact{{Flags: 0xff}}}, wire.View{Nodes: []wire.Fact{{Flags: wire.Orphan | wire.Unheard}}}},
	} {
		if got, err := wire.Parse(wire.Append(nil, wire.Facts{View: c.sent})); err != nil || !reflect.DeepEqual(got, wire.Facts{View: c.want}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !slices.Equal(long.Nodes, before) {
		t.Error("sending changed the sender's own view")
	}
}

func TestTrimKeepsTheNearestAndSumsUpTheOthers(t *testing.T) {
	for _, n := range []int{-1, 0, 1, 2, 63, 64, 65, 100, 299, 300, 301} {
		v := comb(300)
		all := slices.Clone(v.Nodes)
		v.Rest = wire.Rest{Nodes: 5, Down: 3, DelayMs: 7, Lost: math.MaxUint32 - 1, Free: 1}
		v.Trim(n)
		if want := min(max(n, 1), 300); len(v.Nodes) != want || int(v.Rest.Nodes) != 5+300-want {
			t.Fatalf("Trim(%d): %d listed, %+v", n, len(v.Nodes), v.Rest)
		}
		kept := map[wire.NodeTag]bool{}
		deepest := uint8(0)
		for i, f := range v.Nodes {
			if kept[f.ID] = true; i > 0 && f.Down > v.Nodes[i-1].Down+1 {
				t.Fatalf("Trim(%d): a node without its parent", n)
			}
			deepest = max(deepest, f.Down)
		}
		var worst uint32
		for _, f := range all {
			if kept[f.ID] {
				continue
			}
			if f.Down < deepest {
				t.Fatalf("Trim(%d): a node at %d was cut, one at %d was kept", n, f.Down, deepest)
			}
			worst = max(worst, f.DelayMs)
		}
		if len(v.Nodes) < 300 && (v.Rest.DelayMs != max(worst, 7) || v.Rest.Lost != math.MaxUint32 || int(v.Rest.Free) != 1+2*(300-len(v.Nodes))) {
			t.Fatalf("Trim(%d): %+v, worst delay %d", n, v.Rest, worst)
		}
	}
}

func TestImpossibleViewsAreRefused(t *testing.T) {
	node := func(down, flags byte, more ...byte) []byte {
		b := append(make([]byte, 8), down, flags)
		if more == nil {
			more = make([]byte, 7)
		}
		return append(b, more...)
	}
	rest := make([]byte, 5)
	view := func(count byte, nodes ...[]byte) []byte {
		return slices.Concat([]byte{0, count}, slices.Concat(nodes...), rest)
	}
	named := func(tail ...byte) []byte { return node(0, 0, append(make([]byte, 6), tail...)...) }
	good := view(2, node(0, 0), node(1, 3))
	if _, err := wire.Parse(frameOf(0x1a, good...)); err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{
		"no node":                    append(view(0), make([]byte, 20)...),
		"more nodes than bytes":      view(200, node(0, 0)),
		"more nodes than may be":     slices.Concat([]byte{0, 0x81, 0x20}, node(0, 0), rest),
		"a count longer than needed": slices.Concat([]byte{0, 0x81, 0}, node(0, 0), rest),
		"first not on top":           view(1, node(1, 0)),
		"two on top":                 view(2, node(0, 0), node(0, 0)),
		"a step left out":            view(2, node(0, 0), node(2, 0)),
		"flag that is none":          view(1, node(0, 4)),
		"slots over 16 bits":         view(1, node(0, 0, 0x80, 0x80, 4, 0, 0, 0, 0, 0, 0)),
		"delay over 32 bits":         view(1, node(0, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0, 0, 0)),
		"endless number":             view(1, node(0, 0, slices.Repeat([]byte{0xff}, 30)...)),
		"version not told":           view(1, named(2)),
		"version of no bytes":        view(1, named(1, 0)),
		"version too long":           view(1, named(append([]byte{1, 17}, "01234567890123456"...)...)),
		"version with an escape":     view(1, named(1, 2, 0x1b, 'c')),
		"version told twice":         view(2, named(1, 1, 'a'), node(1, 0, append(make([]byte, 6), 2, 1, 'a')...)),
		"deeper than any tree":       append([]byte{tree.MaxPath + 1}, good[1:]...),
	} {
		for _, typ := range []byte{0x1a, 0x1c} {
			if f, err := wire.Parse(frameOf(typ, body...)); f != nil || !errors.Is(err, wire.ErrFrame) {
				t.Errorf("%s: %+v, %v", name, f, err)
			}
		}
	}
	// A tree may be 64 links deep, and no deeper.
	chain := comb(tree.MaxPath + 1)
	if _, err := wire.Parse(wire.Append(nil, wire.Facts{View: chain})); err != nil {
		t.Error(err)
	}
	deep := append(slices.Clone(wire.Append(nil, wire.Facts{View: chain})[stream.PreludeLen:]), node(tree.MaxPath+1, 0)...)
	if f, err := wire.Parse(frameOf(0x1a, deep...)); f != nil || !errors.Is(err, wire.ErrFrame) {
		t.Errorf("65 links down: %v", err)
	}
}

// In memory a view's nodes take about three times the bytes that have come, and no more.
func TestParsingAViewCostsInProportion(t *testing.T) {
	small := wire.Append(nil, wire.Facts{View: wire.View{Nodes: slices.Repeat([]wire.Fact{{Down: 1}}, wire.MaxFacts)}})
	for name, b := range map[string][]byte{
		"as many nodes as fit":       small,
		"a count with nothing to it": frameOf(0x1a, append([]byte{0, 0x80, 0x20}, make([]byte, 40)...)...),
	} {
		if got := allocated(func() { _, _ = wire.Parse(b) }); got > 3*len(b)+2<<10 {
			t.Errorf("%s: %d bytes allocated for %d", name, got, len(b))
		}
	}
}

func TestTagIsTheStartOfTheID(t *testing.T) {
	m := newMaker(t)
	for range 50 {
		id := tree.ID(m.id32())
		if s := wire.TagOf(id).String(); len(s) != 12 || s != id.Tag() || !strings.HasPrefix(id.String(), s) {
			t.Fatalf("%s of %s", s, id)
		}
	}
}

// BenchmarkFacts measures what a child of the root with 4096 nodes below it does every half
// minute, and what the root does with that.
func BenchmarkFacts(b *testing.B) {
	v := fixedMaker().view(wire.MaxFacts)
	for i := range v.Nodes { // what such a node has
		f := &v.Nodes[i]
		f.Slots, f.Children, f.DelayMs, f.Lost, f.Upload, f.UptimeS = 8, 4, f.DelayMs%400, f.Lost%100, 12_000, f.UptimeS%10_000
	}
	frame := wire.Append(nil, wire.Facts{View: v})
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		buf := make([]byte, 0, len(frame))
		for b.Loop() {
			buf = wire.Append(buf[:0], wire.Facts{View: v})
		}
		b.ReportMetric(float64(len(buf))/wire.MaxFacts, "B/node")
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := wire.Parse(frame); err != nil {
				b.Fatal(err)
			}
		}
	})
}
