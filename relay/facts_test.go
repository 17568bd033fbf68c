package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// parents returns the parent of each node of a view by the nodes' tags.
func parents(v wire.View) map[wire.NodeTag]wire.NodeTag {
	m := make(map[wire.NodeTag]wire.NodeTag, len(v.Nodes))
	var way [tree.MaxPath + 2]wire.NodeTag // the newest node at each depth
	for _, f := range v.Nodes {
		way[f.Down+1] = f.ID
		m[f.ID] = way[f.Down]
	}
	return m
}

func surveyOf(t *testing.T, s *station) Survey {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got, err := s.Survey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// wantView waits until the station shows exactly these stations, each below its
// parent.
func wantView(t *testing.T, at *station, all []*station) Survey {
	t.Helper()
	var got Survey
	eventually(t, "the tree is shown as it is", func() bool {
		got = surveyOf(t, at)
		want := make(map[wire.NodeTag]wire.NodeTag)
		for _, s := range all {
			in := s.info(t)
			want[wire.TagOf(in.ID)] = wire.TagOf(in.Parent.ID)
		}
		for _, f := range got.View.Nodes {
			if f.Flags != 0 || f.UptimeS > 600 {
				return false
			}
		}
		return got.Err == nil && len(got.View.Nodes) == len(all) && reflect.DeepEqual(parents(got.View), want)
	})
	return got
}

func TestEveryNodeShowsTheWholeTree(t *testing.T) {
	source, w := newSource(t, 2)
	viewers := growTree(t, source, 6, 2)
	all := append(viewers, source)
	var last []*stream.Cursor
	for _, v := range viewers {
		last = append(last, v.Ring().Cursor())
	}
	broadcast(t, w, 0)
	for _, c := range last {
		next(t, c)
	}
	for _, s := range all {
		got := wantView(t, s, all)
		if got.Self != s.info(t).ID || got.By != source.info(t).ID || got.View.Depth != 0 {
			t.Errorf("self %s, by %s at depth %d", got.Self.Short(), got.By.Short(), got.View.Depth)
		}
		if v := got.View.Rest; v != (wire.Rest{}) {
			t.Errorf("%+v is not listed", v)
		}
	}
	sent := 0
	eventually(t, "the delays are known", func() bool {
		sent++
		broadcast(t, w, sent)
		for i, f := range surveyOf(t, viewers[5]).View.Nodes {
			if (i > 0) != (f.DelayMs > 0) {
				return false
			}
		}
		return true
	})

	// A leaf that is gone is shown no more.
	leaf := slices.IndexFunc(viewers, func(v *station) bool { return len(v.info(t).Children) == 0 })
	viewers[leaf].lines.cut()
	viewers[leaf].end()
	rest := append(slices.Delete(slices.Clone(viewers), leaf, leaf+1), source)
	for _, s := range rest {
		wantView(t, s, rest)
	}
}

// When the root does not answer, the next node down does.
func TestSurveyAsksTheNextWhenTheRootDoesNot(t *testing.T) {
	source, _ := newSource(t, 1)
	chain := growTree(t, source, 3, 1)
	wantView(t, chain[2], append(chain, source))
	// The root's address is another one's by now: it cannot be asked, but serves on.
	source.lines.Close()
	eventually(t, "the view is that of the root's child", func() bool {
		got := surveyOf(t, chain[2])
		if got.By != chain[0].info(t).ID {
			return false
		}
		in := got.View
		return got.Err != nil && in.Depth == 1 && len(in.Nodes) == 3 && in.Nodes[2].ID == wire.TagOf(chain[2].info(t).ID)
	})
}

// acceptSurvey waits for a survey, and turns away whoever else comes.
func (f *fake) acceptSurvey() *talk {
	f.t.Helper()
	if err := f.ln.(*net.TCPListener).SetDeadline(time.Now().Add(patience)); err != nil {
		f.t.Fatal(err)
	}
	for {
		conn, err := f.ln.Accept()
		if err != nil {
			f.t.Fatal(err)
		}
		f.t.Cleanup(func() { conn.Close() })
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			f.t.Fatal(err)
		}
		tc := tls.Server(conn, f.ident.tlsConfig(alpn))
		r := wire.NewReader(tc, wire.Stranger)
		first, err := r.Next()
		if s, ok := first.(wire.Survey); ok && s.Channel == f.id {
			return &talk{f.t, tc, r}
		}
		f.t.Logf("turned away: %T, %v", first, err)
		conn.Close()
	}
}

// A root that answers nonsense, or not at all, costs the one who asks a bounded time.
func TestSurveyOfAHostileRoot(t *testing.T) {
	ctx := t.Context()
	parent := newFake(t)
	v := newViewer(t, 1, parent.id, parent.addr)
	var beating sync.WaitGroup
	defer beating.Wait()
	end := make(chan struct{})
	defer close(end)
	k := parent.accept()
	beat := parent.Beat()
	k.send(beat, parent.welcome(parent.label(beat)))
	k.waitPull()
	beating.Go(func() { // ends with the test
		for b := wire.Append(nil, tree.Heartbeat{Label: parent.label(beat)}); ; {
			select {
			case <-time.After(20 * time.Millisecond):
				if _, err := k.conn.Write(b); err != nil {
					return
				}
			case <-end:
				return
			}
		}
	})
	huge := wire.Append(nil, wire.Whole{View: bush(wire.MaxFacts)})
	for name, answer := range map[string][]byte{
		"another frame":  wire.Append(nil, tree.Heartbeat{}),
		"good-bye":       wire.Append(nil, tree.Bye{Reason: tree.ReasonBusy}),
		"no frame":       []byte("HTTP/1.1 200 OK\r\n\r\n"),
		"half a view":    huge[:len(huge)/2],
		"a header":       parent.ring.Header().Frame(),
		"nothing at all": nil,
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan Survey, 1)
			go func() { // ends with the survey
				s, err := v.surveyNow(ctx)
				if err != nil {
					t.Error(err)
				}
				got <- s
			}()
			parent.acceptSurvey().write(answer)
			s := <-got
			if s.Err == nil || s.By != s.Self || len(s.View.Nodes) != 1 || s.View.Nodes[0].ID != wire.TagOf(v.node.ID()) {
				t.Errorf("the viewer shows %+v", s)
			}
		})
	}
}

// A child that lies about itself and those below it changes what is shown of them,
// and nothing else.
func TestLiarIsShownAsTheNodeThatItIs(t *testing.T) {
	source, w := newSource(t, 3)
	honest := growTree(t, source, 1, 0)[0]
	k := call(t, source.addr)
	k.send(wire.Hello{Channel: source.ID()})
	for {
		if _, ok := k.read().(tree.Welcome); ok {
			break
		}
	}
	victim := wire.TagOf(honest.info(t).ID)
	lie := wire.View{Depth: 60, Nodes: []wire.Fact{{ID: victim, Lost: 1 << 31}, {ID: wire.TagOf(source.info(t).ID), Down: 1}, {ID: victim, Down: 2, Version: "liar"}}}
	k.send(tree.Pull{}, tree.Report{Slots: 1}, wire.Facts{View: lie})
	broadcast(t, w, 0)
	var nodes []wire.Fact
	eventually(t, "the liar is shown", func() bool {
		nodes = surveyOf(t, source).View.Nodes
		return len(nodes) == 5
	})
	if nodes[0].ID != wire.TagOf(source.info(t).ID) || nodes[0].Children != 2 {
		t.Errorf("the source is shown as %+v", nodes[0])
	}
	mine := slices.IndexFunc(nodes, func(f wire.Fact) bool { return f.Down == 1 && f.ID == victim })
	if mine < 0 || nodes[mine].Lost != 0 || nodes[mine].Version != "" {
		t.Errorf("the honest child is shown as %+v", nodes)
	}
	liar := slices.IndexFunc(nodes, func(f wire.Fact) bool { return f.Down == 1 && f.ID != victim })
	if liar < 0 || nodes[liar].Lost != 1<<31 || nodes[liar+2].Version != "liar" || nodes[liar+2].Down != 3 {
		t.Errorf("the liar is shown as %+v", nodes)
	}
}

func TestFactsTooOftenEndTheLink(t *testing.T) {
	source, _ := newSource(t, 1)
	k := call(t, source.addr)
	k.send(wire.Hello{Channel: source.ID()})
	var b []byte
	for range factsFrames + 5 {
		b = wire.Append(b, wire.Facts{View: wire.View{Nodes: make([]wire.Fact, 1)}})
	}
	k.write(b)
	wantEnd(t, k.conn)
	eventually(t, "nothing of it is kept", func() bool {
		source.reporting.facts.mu.Lock()
		defer source.reporting.facts.mu.Unlock()
		return source.reporting.facts.kept == 0 && len(source.reporting.facts.of) == 0
	})
}

func TestSurveyOfAStranger(t *testing.T) {
	source, _ := newSource(t, 1)
	k := call(t, source.addr)
	k.send(wire.Survey{Channel: source.ID()})
	if f, ok := k.read().(wire.Whole); !ok || len(f.Nodes) != 1 || f.Nodes[0].ID != wire.TagOf(source.info(t).ID) {
		t.Errorf("the answer is %+v", f)
	}
	if f, err := k.r.Next(); err != io.EOF {
		t.Errorf("%+v, %v follows", f, err)
	}
	k = call(t, source.addr)
	k.send(wire.Survey{Channel: stream.ChannelID{1}})
	if f, ok := k.read().(tree.Bye); !ok || f.Reason != tree.ReasonChannel {
		t.Errorf("the answer to another channel is %+v", f)
	}
	wantEnd(t, k.conn)
	k = call(t, source.addr)
	k.send(wire.Hello{Channel: source.ID()}, wire.Survey{Channel: source.ID()})
	wantEnd(t, k.conn)
}

// The node spends only so much on those who ask.
func TestAnswersAreBounded(t *testing.T) {
	source, _ := newSource(t, 1)
	source.node.answers.SetBurst(10) // less than any view has
	k := call(t, source.addr)
	k.send(wire.Survey{Channel: source.ID()})
	if f, ok := k.read().(tree.Bye); !ok || f.Reason != tree.ReasonBusy {
		t.Errorf("the answer is %+v", f)
	}
	if answerBurst < 3*len(wire.Append(nil, wire.Whole{View: bush(wire.MaxFacts)})) {
		t.Error("a large view does not fit three times")
	}
}

// bush is a view of n nodes with up to four children each, in preorder.
func bush(n int) wire.View {
	rnd := rand.New(rand.NewPCG(1, 2))
	var v wire.View
	var grow func(down, n int)
	grow = func(down, n int) {
		var id wire.NodeTag
		for i := range id {
			id[i] = byte(rnd.Uint32())
		}
		v.Nodes = append(v.Nodes, wire.Fact{
			ID: id, Down: uint8(down), Slots: 4, Children: uint16(min(4, n-1)), DelayMs: uint32(1 + 20*down), Lost: rnd.Uint32N(50),
			Upload: 12_000, UptimeS: rnd.Uint32N(10_000), Version: "0.1.0",
		})
		for i, left := 4, n-1; left > 0; i-- {
			part := (left + i - 1) / i
			grow(down+1, part)
			left -= part
		}
	}
	grow(0, n)
	return v
}

func TestWhatIsKeptOfChildrenIsBounded(t *testing.T) {
	source, _ := newSource(t, 1)
	var book factBook
	var links []*link
	for i := range 100 {
		l := &source.newDownlink(tree.Link(2*i), tree.ID{byte(i)}, nil, false).link
		links = append(links, l)
		book.put(l, bush(wire.MaxFacts))
	}
	got, total := 0, 0
	for i, l := range links {
		k, ok := book.get(l)
		if !ok || len(k.view.Nodes) < factsKept/100 || k.view.Nodes[0].ID != (wire.NodeTag{byte(i)}) {
			t.Fatalf("child %d: %d nodes kept", i, len(k.view.Nodes))
		}
		if n := len(k.view.Nodes) + int(k.view.Rest.Nodes); n != wire.MaxFacts {
			t.Fatalf("child %d: %d of %d nodes are listed or summed up", i, n, wire.MaxFacts)
		}
		if cap(k.view.Nodes) > 2*len(k.view.Nodes) {
			t.Errorf("child %d: %d nodes hold the memory of %d", i, len(k.view.Nodes), cap(k.view.Nodes))
		}
		got += len(k.view.Nodes)
	}
	if total = book.kept; total != got || total > 6*factsKept {
		t.Errorf("%d nodes are kept, %d counted", got, total)
	}
	for _, l := range links {
		book.drop(l)
		book.drop(l)
	}
	if book.kept != 0 || len(book.of) != 0 {
		t.Errorf("%d nodes are left", book.kept)
	}
}

func TestViewsOfChildrenAreJoinedAndCutToABound(t *testing.T) {
	var below []child
	for range 4 {
		v := bush(2000)
		v.Rest = wire.Rest{Nodes: 10, Down: 9, DelayMs: 5000, Lost: 3, Free: 2}
		below = append(below, child{told: told{view: v}})
	}
	below = append(below, child{fact: wire.Fact{ID: wire.NodeTag{9}, Down: 1, Flags: wire.Unheard}})
	v := join(wire.Fact{ID: wire.NodeTag{1}, Slots: 5}, 3, below)
	if len(v.Nodes) != 1+4*2000+1 || v.Nodes[0].Children != 5 || v.Depth != 3 || v.Rest.Nodes != 40 || v.Rest.Down != 10 || v.Rest.Lost != 12 || v.Rest.DelayMs != 5000 {
		t.Fatalf("%d nodes, depth %d, %+v", len(v.Nodes), v.Depth, v.Rest)
	}
	v.Trim(wire.MaxFacts)
	if n := len(v.Nodes) + int(v.Rest.Nodes); len(v.Nodes) != wire.MaxFacts || n != 1+4*2000+1+40 {
		t.Errorf("%d listed, %d in all", len(v.Nodes), n)
	}
	for i := range v.Nodes[1:] {
		if v.Nodes[i+1].Down > v.Nodes[i].Down+1 {
			t.Fatal("a node lost its parent")
		}
	}
	// Nobody can make a tree that is too deep for its frame.
	chain := wire.View{}
	for i := range tree.MaxPath + 1 {
		chain.Nodes = append(chain.Nodes, wire.Fact{Down: uint8(i)})
	}
	v = join(wire.Fact{}, 0, []child{{told: told{view: chain}}})
	if got, err := wire.Parse(wire.Append(nil, wire.Facts{View: v})); err != nil || !reflect.DeepEqual(got, wire.Facts{View: v}) || v.Rest.Nodes != 1 {
		t.Errorf("a chain that is too deep: %v, %+v", err, v.Rest)
	}
}

func TestFactsAreToldWhenDue(t *testing.T) {
	parent, other := &link{}, &link{}
	for _, c := range []struct {
		name    string
		size    int
		changed bool
		least   time.Duration
	}{
		{"small, as it was", 200, false, 2 * time.Second},
		{"small, changed", 200, true, 200 * time.Millisecond},
		{"large, as it was", 10_000, false, 10 * time.Second},
		{"large, changed", 10_000, true, 10 * time.Second},
		{"largest", 82_000, true, 30 * time.Second},
	} {
		at := time.Unix(1, 0)
		d := reporter{parent: parent, shape: 1, at: at, size: c.size}
		shape := uint64(1)
		if c.changed {
			shape = 2
		}
		if d.due(at.Add(c.least-1), parent, shape) || !d.due(at.Add(c.least), parent, shape) {
			t.Errorf("%s: not told after %v", c.name, c.least)
		}
		if !d.due(at, other, shape) {
			t.Errorf("%s: a new parent has to wait", c.name)
		}
	}
}

func TestNodePutsItselfIntoAViewThatWasCutAboveIt(t *testing.T) {
	id := func(n byte) tree.ID { return tree.ID{n} }
	tag := func(n byte) wire.NodeTag { return wire.NodeTag{n} }
	info := tree.Info{ID: id(9), Path: []tree.Place{{ID: id(1)}, {ID: id(2)}, {ID: id(3)}}}
	own := wire.View{Depth: 3, Nodes: []wire.Fact{{ID: tag(9), Lost: 7}, {ID: tag(10), Down: 1}, {ID: tag(11), Down: 2}}}
	for _, c := range []struct {
		name string
		have []wire.Fact
		rest uint32
		want string
		left uint32
	}{
		{"not cut, older", []wire.Fact{{ID: tag(1)}, {ID: tag(2), Down: 1}, {ID: tag(3), Down: 2}, {ID: tag(9), Down: 3}, {ID: tag(8), Down: 1}}, 0, "1 0,2 1,3 2,9 3,10 4,11 5,8 1", 0},
		{"cut below it", []wire.Fact{{ID: tag(1)}, {ID: tag(2), Down: 1}, {ID: tag(3), Down: 2}, {ID: tag(9), Down: 3}, {ID: tag(8), Down: 3}}, 5, "1 0,2 1,3 2,9 3,10 4,11 5,8 3", 3},
		{"cut above it", []wire.Fact{{ID: tag(1)}, {ID: tag(2), Down: 1}, {ID: tag(7), Down: 2}, {ID: tag(8), Down: 1}}, 9, "1 0,2 1,7 2,3 2,9 3,10 4,11 5,8 1", 5},
		{"cut to the root", []wire.Fact{{ID: tag(1)}}, 2, "1 0,2 1,3 2,9 3,10 4,11 5", 0},
		{"view of its parent", []wire.Fact{{ID: tag(3)}, {ID: tag(9), Down: 1}}, 0, "3 0,9 1,10 2,11 3", 0},
		{"at its former parent", []wire.Fact{{ID: tag(1)}, {ID: tag(5), Down: 1}, {ID: tag(9), Down: 2}}, 0, "1 0,5 1,9 2", 0},
		{"another tree", []wire.Fact{{ID: tag(4)}, {ID: tag(2), Down: 1}}, 0, "4 0,2 1", 0},
	} {
		before := slices.Clone(c.have)
		v := graft(wire.View{Nodes: c.have, Rest: wire.Rest{Nodes: c.rest}}, info, own)
		var got string
		for i, f := range v.Nodes {
			if i > 0 {
				got += ","
			}
			got += fmt.Sprint(f.ID[0], " ", f.Down)
		}
		if got != c.want || v.Rest.Nodes != c.left {
			t.Errorf("%s: %s and %d more, want %s and %d", c.name, got, v.Rest.Nodes, c.want, c.left)
		}
		if !slices.Equal(before, c.have) {
			t.Errorf("%s: the other's view was changed", c.name)
		}
	}
}

func TestOnlyAFewAreAskedForAView(t *testing.T) {
	for n := range 8 {
		var path []tree.Place
		for i := range n {
			path = append(path, tree.Place{ID: tree.ID{byte(i + 1)}, Addrs: []netip.AddrPort{}})
		}
		ps := toAsk(tree.Info{Path: path})
		if len(ps) != min(n, surveyAsks) || n > 0 && (ps[0].ID != path[0].ID || ps[len(ps)-1].ID != path[n-1].ID) {
			t.Errorf("path of %d: %v", n, ps)
		}
		for i := range path {
			if path[i].ID != (tree.ID{byte(i + 1)}) {
				t.Errorf("path of %d was changed", n)
			}
		}
	}
}

func TestSurveyOfAnEndedChannelFails(t *testing.T) {
	source, _ := newSource(t, 1)
	source.end()
	if err := source.ended(); err != nil {
		t.Fatal(err)
	}
	if s, err := source.Survey(t.Context()); !errors.Is(err, ErrEnded) {
		t.Errorf("%+v, %v", s, err)
	}
}

// BenchmarkFacts is what a node with 4096 below it does for each facts frame: it
// takes its children's, joins and cuts them, and encodes what comes of it.
func BenchmarkFacts(b *testing.B) {
	var below []child
	for range 8 {
		v := bush(wire.MaxFacts / 8)
		below = append(below, child{told: told{view: v, shape: shapeOf(v.Nodes)}})
	}
	own := wire.Fact{Slots: 8, Version: "0.1.0"}
	var buf []byte
	b.Run("join", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v := join(own, 0, below)
			v.Trim(wire.MaxFacts)
		}
	})
	b.Run("join and encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v := join(own, 0, below)
			v.Trim(wire.MaxFacts)
			buf = wire.Append(buf[:0], wire.Facts{View: v})
		}
		b.ReportMetric(float64(len(buf)), "frame-B")
	})
	b.Run("take", func(b *testing.B) {
		b.ReportAllocs()
		frame := wire.Append(nil, wire.Facts{View: bush(wire.MaxFacts)})
		l := &link{}
		var book factBook
		for b.Loop() {
			f, err := wire.Parse(frame)
			if err != nil {
				b.Fatal(err)
			}
			book.put(l, f.(wire.Facts).View)
		}
	})
}
