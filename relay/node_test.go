package relay

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// cut ends the listener and every connection, with no good-bye of any layer.
func (l *lines) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.Close()
	for _, conn := range l.conns {
		_ = conn.(*net.TCPConn).SetLinger(0) // closed already, if this fails
		conn.Close()
	}
}

// growTree starts viewers one after another, each when the source knows where
// there is room for it.
func growTree(t *testing.T, source *station, viewers, slots int) []*station {
	t.Helper()
	var all []*station
	for range viewers {
		v := newViewer(t, slots, source.ID(), source.addr)
		all = append(all, v)
		eventually(t, "the viewer is in the tree, and the source knows", func() bool {
			if in := v.info(t); !in.Attached || in.Depth == 0 {
				return false
			}
			below := 0
			for _, c := range source.info(t).Children {
				if c.Report.Slots == 0 || c.Report.Room[0] == tree.NoRoom {
					return false
				}
				below += 1 + int(c.Report.Below)
			}
			return below == len(all)
		})
	}
	return all
}

// broadcast writes one more tag, of any length. Every other one is a key tag, so that
// a reader that does not go on where it was skips something.
func broadcast(t *testing.T, w *stream.Writer, n int) {
	t.Helper()
	f := stream.EndsChunk
	if n%2 == 0 {
		f |= stream.StartHere
	}
	tag := make([]byte, 1+rand.IntN(stream.MaxPayload))
	for i := range tag {
		tag[i] = byte(n + i)
	}
	if err := w.WriteTag(tag, f); err != nil {
		t.Fatal(err)
	}
}

// next waits for the cursor's next chunk.
func next(t *testing.T, c *stream.Cursor) stream.Item {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, errors.New("no chunk came"))
	defer cancel()
	it, err := c.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// wantWhole checks that the reader gets the chunks 1 to n, each once, in order and
// byte by byte those of the source.
func wantWhole(t *testing.T, c *stream.Cursor, source *stream.Ring, n uint64) {
	t.Helper()
	origin := source.Resume(stream.Position{Epoch: source.Head().Epoch})
	for seq := uint64(1); seq <= n; seq++ {
		wantNext(t, c, next(t, origin), seq)
	}
}

// wantNext checks that the reader gets that chunk next, as the source has it.
func wantNext(t *testing.T, c *stream.Cursor, want stream.Item, seq uint64) {
	t.Helper()
	got := next(t, c)
	if got.Chunk.Seq() != seq || got.Jump != (seq == 1) {
		t.Fatalf("chunk %d (jump %v), want chunk %d", got.Chunk.Seq(), got.Jump, seq)
	}
	if !bytes.Equal(got.Chunk.Frame(), want.Chunk.Frame()) {
		t.Fatalf("chunk %d is not the source's", seq)
	}
	if !bytes.Equal(got.Header.Frame(), want.Header.Frame()) {
		t.Fatalf("chunk %d comes with another header than the source's", seq)
	}
}

func TestTreeDelivers(t *testing.T) {
	const chunks = 100
	source, w := newSource(t, 2)
	viewers := growTree(t, source, 7, 2)
	deepest := 0
	for _, v := range viewers {
		deepest = max(deepest, v.info(t).Depth)
	}
	if deepest != 3 {
		t.Fatalf("the tree is %d deep, want 3", deepest)
	}
	var cursors []*stream.Cursor
	for _, v := range viewers {
		cursors = append(cursors, v.Ring().Cursor())
	}
	// A chunk is sent when everybody has the one before. A node that has moved meanwhile, as
	// on a machine that stood still, then asks for nothing that its parent does not have.
	origin := source.Ring().Cursor()
	for n := range chunks {
		broadcast(t, w, n)
		want := next(t, origin)
		for _, c := range cursors {
			wantNext(t, c, want, uint64(n)+1)
		}
	}
	for i := range cursors {
		if st := viewers[i].Ring().Stats(); st.Received != chunks || st.Lost != 0 {
			t.Errorf("viewer %d has %d chunks and lost %d, want %d and 0", i, st.Received, st.Lost, chunks)
		}
	}
}

// TestCrash ends a node with descendants on two levels in the middle of a stream.
func TestCrash(t *testing.T) {
	source, w := newSource(t, 2)
	viewers := growTree(t, source, 7, 2)
	var victim *station
	for _, v := range viewers {
		if in := v.info(t); in.Depth == 3 {
			i := slices.IndexFunc(viewers, func(s *station) bool { return s.node.ID() == in.Path[1].ID })
			victim = viewers[i]
		}
	}
	if victim == nil {
		t.Fatal("no viewer is at depth 3")
	}
	var below int
	cursors := make(map[*station]*stream.Cursor)
	for _, v := range viewers {
		if v == victim {
			continue
		}
		cursors[v] = v.Ring().Cursor()
		if in := v.info(t); slices.ContainsFunc(in.Path, func(p tree.Place) bool { return p.ID == victim.node.ID() }) {
			below++
		}
	}
	if below < 2 {
		t.Fatalf("the victim has %d descendants, want 2 at least", below)
	}

	// Chunks are on their way at any moment, so at that of the crash too.
	var chunks int
	run := func(until func() bool) {
		t.Helper()
		eventually(t, "the stream goes on everywhere", func() bool {
			broadcast(t, w, chunks)
			chunks++
			return until()
		})
	}
	haveAll := func(from int) func() bool {
		return func() bool {
			for v := range cursors {
				if v.Ring().Head().Seq <= uint64(from) {
					return false
				}
			}
			return true
		}
	}
	run(haveAll(50))
	victim.lines.cut()
	crash := chunks
	for range 30 { // which nobody below the victim gets before there is a new parent
		broadcast(t, w, chunks)
		chunks++
	}
	for v := range cursors {
		if in := v.info(t); in.Parent.ID == victim.node.ID() {
			run(func() bool { return len(v.orphaned) > 0 })
		}
	}
	run(haveAll(crash + 100))

	for v, c := range cursors {
		wantWhole(t, c, source.Ring(), uint64(crash)+100)
		st := v.Ring().Stats()
		if st.Lost != 0 || st.Received != st.Head.Seq {
			t.Errorf("of %d chunks %d came and %d were lost", st.Head.Seq, st.Received, st.Lost)
		}
		if v.info(t).Parent.ID == victim.node.ID() {
			t.Error("a viewer holds on to the node that crashed")
		}
	}
}

// fake is a node that the test plays: it says what the test wants.
type fake struct {
	*stream.Writer
	t     *testing.T
	id    stream.ChannelID
	ring  *stream.Ring
	ident identity
	ln    net.Listener
	addr  netip.AddrPort
}

// newFake makes a fake parent with a channel whose epoch began ten seconds ago.
func newFake(t *testing.T) *fake {
	t.Helper()
	key := newKey(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	f := &fake{
		t:     t,
		id:    stream.IDOf(key),
		ring:  stream.NewRing(stream.Limits{}),
		ident: newTestIdentity(t, newKey(t)),
		ln:    ln,
		addr:  ln.Addr().(*net.TCPAddr).AddrPort(),
	}
	began := time.Now().Add(-10 * time.Second)
	f.Writer = stream.NewWriter(f.ring, key, stream.NextEpoch(stream.Epoch{}, began, 1), began)
	if err := f.SetHeader([]byte("header")); err != nil {
		t.Fatal(err)
	}
	return f
}

func newTestIdentity(t *testing.T, key ed25519.PrivateKey) identity {
	t.Helper()
	ident, err := newIdentity(key)
	if err != nil {
		t.Fatal(err)
	}
	return ident
}

// label is what an honest root would tell of itself at the moment of the beat.
func (f *fake) label(b *stream.Beat) tree.Label {
	step := uint64(tree.LabelStep.Milliseconds())
	return tree.Label{Epoch: tree.Epoch(b.Epoch()), E: b.Ms() / step}
}

func (f *fake) welcome(l tree.Label) tree.Welcome {
	return tree.Welcome{Label: l, Path: []tree.Place{{ID: f.ident.id, Addrs: []netip.AddrPort{f.addr}}}}
}

// talk is the test's end of a link.
type talk struct {
	t    *testing.T
	conn *tls.Conn
	r    *wire.Reader
}

// accept waits for a child and reads its Hello.
func (f *fake) accept() *talk {
	f.t.Helper()
	if err := f.ln.(*net.TCPListener).SetDeadline(time.Now().Add(patience)); err != nil {
		f.t.Fatal(err)
	}
	conn, err := f.ln.Accept()
	if err != nil {
		f.t.Fatal(err)
	}
	k := newTalk(f.t, tls.Server(conn, f.ident.tlsConfig(alpn)), wire.Stranger)
	hello, ok := k.read().(wire.Hello)
	if !ok || hello.Channel != f.id {
		f.t.Fatalf("the child opens with %#v", hello)
	}
	k.r.Expect(wire.Child)
	return k
}

// call connects to a node as a stranger does.
func call(t *testing.T, addr netip.AddrPort) *talk {
	t.Helper()
	return newTalk(t, tls.Client(connect(t, addr), newTestIdentity(t, newKey(t)).tlsConfig(alpn)), wire.Parent)
}

func connect(t *testing.T, addr netip.AddrPort) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func newTalk(t *testing.T, conn *tls.Conn, peer wire.Side) *talk {
	t.Helper()
	t.Cleanup(func() { conn.NetConn().Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	return &talk{t, conn, wire.NewReader(conn, peer)}
}

func (k *talk) send(frames ...wire.Frame) {
	k.t.Helper()
	var b []byte
	for _, f := range frames {
		b = wire.Append(b, f)
	}
	k.write(b)
}

func (k *talk) write(b []byte) {
	k.t.Helper()
	if _, err := k.conn.Write(b); err != nil {
		k.t.Fatal(err)
	}
}

func (k *talk) read() wire.Frame {
	k.t.Helper()
	f, err := k.r.Next()
	if err != nil {
		k.t.Fatal(err)
	}
	return f
}

// waitPull reads until the child pulls: it has taken the test for its parent.
func (k *talk) waitPull() {
	k.t.Helper()
	for {
		if _, ok := k.read().(tree.Pull); ok {
			return
		}
	}
}

// wantEnd checks that the other side ends the connection by itself.
func wantEnd(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the connection is still open")
	}
}

func TestForgedChunk(t *testing.T) {
	const (
		firstFlag    = 5
		firstBeat    = 30
		firstPayload = 42
	)
	for _, c := range []struct {
		name  string
		forge func(frame []byte) // nil for an honest chunk
	}{
		{"honest", nil},
		{"payload", func(b []byte) { b[firstPayload+3] ^= 1 }},
		{"last byte of the payload", func(b []byte) { b[len(b)-stream.SignatureLen-1] ^= 0x80 }},
		{"beat", func(b []byte) { b[firstBeat+7] ^= 1 }},
		{"flags", func(b []byte) { b[firstFlag] ^= byte(stream.Enc) }},
		{"signature", func(b []byte) { b[len(b)-stream.SignatureLen] ^= 1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, honest := range []int{0, 1} { // chunks that come before
				parent := newFake(t)
				for _, tag := range []string{"the first tag", "the second tag"} {
					if err := parent.WriteTag([]byte(tag), stream.StartHere|stream.EndsChunk); err != nil {
						t.Fatal(err)
					}
				}
				v := newViewer(t, 1, parent.id, parent.addr)
				k := parent.accept()
				beat := parent.Beat()
				k.send(beat, parent.welcome(parent.label(beat)))
				k.waitPull()
				from := parent.ring.Resume(stream.Position{Epoch: parent.Epoch(), Seq: 0})
				first := next(t, from)
				frames := [][]byte{bytes.Clone(first.Chunk.Frame()), bytes.Clone(next(t, from).Chunk.Frame())}
				if c.forge != nil {
					c.forge(frames[honest])
				}
				k.send(first.Header)
				for _, f := range frames[:honest+1] {
					k.write(f)
				}
				if c.forge == nil {
					got := v.Ring().Resume(stream.Position{Epoch: parent.Epoch()}) // a cursor at the newest might miss the first
					for _, f := range frames[:honest+1] {
						if !bytes.Equal(next(t, got).Chunk.Frame(), f) {
							t.Error("the ring has another chunk")
						}
					}
					continue
				}
				if honest > 0 { // it is the parent by now
					select {
					case r := <-v.orphaned:
						if r != tree.ReasonForged {
							t.Errorf("the link ended with reason %v, want %v", r, tree.ReasonForged)
						}
					case <-time.After(patience):
						t.Fatal("the link goes on")
					}
				}
				wantEnd(t, k.conn)
				if st := v.Ring().Stats(); st.Received != uint64(honest) || st.Held != honest {
					t.Errorf("the ring took %d chunks and holds %d, and %d are the root's", st.Received, st.Held, honest)
				}
				if v.Ring().Header() == nil {
					t.Error("the header before the chunk did not come")
				}
			}
		})
	}
}

// TestLossIsCountedByTheChunksNumbers has a parent skip chunks and lie about how many:
// nodes built before say a number ahead of the chunk, which nobody signs.
func TestLossIsCountedByTheChunksNumbers(t *testing.T) {
	const lost = 6
	parent := newFake(t)
	for range 1 + lost + 1 {
		if err := parent.WriteTag([]byte("a tag"), stream.StartHere|stream.EndsChunk); err != nil {
			t.Fatal(err)
		}
	}
	v := newViewer(t, 1, parent.id, parent.addr)
	k := parent.accept()
	beat := parent.Beat()
	k.send(beat, parent.welcome(parent.label(beat)))
	k.waitPull()
	all := parent.ring.Resume(stream.Position{Epoch: beat.Epoch()})
	it := next(t, all)
	k.send(wire.Gap{}, it.Header, it.Chunk)
	for range lost + 1 {
		it = next(t, all)
	}
	k.send(wire.Gap{Missed: 1 << 40}, it.Chunk)
	eventually(t, "both chunks came", func() bool { return v.Ring().Stats().Received == 2 })
	st, ok := v.Status()
	own, _, err := v.view()
	if !ok || err != nil || st.Ring.Lost != lost || own.Nodes[0].Lost != lost {
		t.Errorf("%d chunks were lost, and the status says %d, others are told %d (%v)", lost, st.Ring.Lost, own.Nodes[0].Lost, err)
	}
}

func TestUnknownChannel(t *testing.T) {
	source, _ := newSource(t, 1)
	k := call(t, source.addr)
	k.send(wire.Hello{Channel: stream.IDOf(newKey(t))})
	if bye, ok := k.read().(tree.Bye); !ok || bye.Reason != tree.ReasonChannel {
		t.Errorf("the answer is %#v, want bye with reason %v", bye, tree.ReasonChannel)
	}
	wantEnd(t, k.conn)
}

func TestHostileStrangers(t *testing.T) {
	source, w := newSource(t, 2)
	v := newViewer(t, 1, source.ID(), source.addr)
	eventually(t, "the viewer is attached", func() bool { return v.info(t).Attached })
	cursor := v.Ring().Cursor()

	hello := wire.Append(nil, wire.Hello{Channel: source.ID()})
	sent := 0
	for _, c := range []struct {
		name   string
		secure bool // after the handshake
		bytes  []byte
	}{
		{"zeros", false, make([]byte, 4096)},
		{"HTTP", false, []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")},
		{"hello without TLS", false, hello},
		{"endless first message", false, clientHelloOf(handshakeBytes)},
		{"endless first message in an endless flood", false, clientHelloOf(64 * handshakeBytes)},
		{"unknown frame", true, []byte{0xee, 0, 0, 1, 0}},
		{"zeros after the handshake", true, make([]byte, 4096)},
		{"hello of 16 MiB", true, []byte{0x10, 0xff, 0xff, 0xff, 1}},
		{"hello too long by a byte", true, append([]byte{0x10, 0, 0, 113, 1}, make([]byte, 112)...)},
		{"hello with a byte left over", true, append([]byte{0x10, 0, 0, hello[3] + 1}, append(hello[4:len(hello):len(hello)], 0)...)},
		{"hello cut short", true, append([]byte{0x10, 0, 0, hello[3] - 1}, hello[4:len(hello)-1]...)},
		{"hello of another version", true, append([]byte{0x10, 0, 0, hello[3], 99}, hello[5:]...)},
		{"chunk first", true, []byte{stream.FrameChunk, 0, 0x3f, 0xfc}},
		{"pull first", true, wire.Append(nil, tree.Pull{})},
		{"hello twice", true, append(bytes.Clone(hello), hello...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var conn net.Conn = connect(t, source.addr)
			if c.secure {
				conn = call(t, source.addr).conn
			}
			_, _ = conn.Write(c.bytes) // the node may have hung up before the last byte
			wantEnd(t, conn)

			broadcast(t, w, sent)
			sent++
			if got := next(t, cursor); got.Chunk.Seq() != uint64(sent) {
				t.Errorf("the viewer gets chunk %d, want %d", got.Chunk.Seq(), sent)
			}
			honest := call(t, source.addr)
			honest.send(wire.Hello{Channel: source.ID()})
			for {
				f := honest.read()
				if _, ok := f.(tree.Welcome); ok {
					break
				}
				if r, ok := f.(tree.Refer); ok && r.Reason == tree.ReasonFull {
					honest = call(t, source.addr) // the one before has not been seen to go
					honest.send(wire.Hello{Channel: source.ID()})
				}
			}
			honest.conn.Close()
		})
	}
	if len(v.orphaned) > 0 {
		t.Errorf("the viewer lost its parent: %v", <-v.orphaned)
	}
}

// clientHelloOf is n bytes of a TLS handshake whose first message does not end.
func clientHelloOf(n int) []byte {
	const record = 16 << 10
	b := []byte{0x16, 3, 1, record >> 8, record & 0xff, 1, 0, 0xff, 0xff} // a message of 64 KiB - 1
	b = append(b, make([]byte, record-4)...)
	for len(b) < n {
		b = append(b, 0x16, 3, 1, record>>8, record&0xff)
		b = append(b, make([]byte, record)...)
	}
	return b
}

// TestLabelFromTheFuture has a parent claim to be newer than the root's clock.
func TestLabelFromTheFuture(t *testing.T) {
	parent := newFake(t)
	v := newViewer(t, 1, parent.id, parent.addr)
	honest := parent.label(parent.Beat())
	future := honest
	future.E = 1 << 62

	// Without a signed beat no label is believed, be it ever so modest.
	for _, l := range []tree.Label{future, honest} {
		k := parent.accept()
		k.send(parent.welcome(l), tree.Heartbeat{Label: l})
		for {
			f, err := k.r.Next()
			if err != nil {
				break // the viewer has given up
			}
			if _, ok := f.(tree.Pull); ok {
				t.Fatalf("the viewer believes the label %+v, for which nobody has signed", l)
			}
		}
		if in := v.info(t); in.Label != (tree.Label{}) || in.Attached {
			t.Fatalf("the viewer adopted %+v", in.Label)
		}
	}

	k := parent.accept()
	beat := parent.Beat()
	honest = parent.label(beat)
	k.send(beat, parent.welcome(honest))
	k.waitPull()
	late := honest
	late.E = (beat.Ms()+labelSlack)/uint64(tree.LabelStep.Milliseconds()) + 1
	replaced := honest
	replaced.Epoch.Ms++
	for _, l := range []tree.Label{future, late, replaced} {
		honest.E++
		k.send(tree.Heartbeat{Label: l}, tree.Heartbeat{Label: honest})
		eventually(t, "the viewer adopts the honest label", func() bool {
			got := v.info(t).Label
			if got.Newer(honest) {
				t.Fatalf("the viewer adopted %+v, the root has signed for %d ms", got, beat.Ms())
			}
			return !honest.Newer(got)
		})
	}
}

func TestEndsAllGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	source, w := newSource(t, 2)
	all := append(growTree(t, source, 4, 2), source)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := ln.Addr().(*net.TCPAddr).AddrPort()
	ln.Close()
	all = append(all, newViewer(t, 1, source.ID(), nobody)) // dials in vain
	var cursors []*stream.Cursor
	for _, s := range all[:5] {
		cursors = append(cursors, s.Ring().Cursor())
	}
	broadcast(t, w, 0)
	for _, c := range cursors {
		next(t, c)
	}
	connect(t, source.addr) // says nothing
	k := call(t, source.addr)
	_, _ = k.conn.Write([]byte{0x10}) // nor does this one end its first word

	for _, s := range all {
		s.end()
	}
	for _, s := range all {
		if err := s.ended(); err != nil {
			t.Errorf("a node ended with: %v", err)
		}
		if _, ok := s.Status(); ok {
			t.Error("a channel that has ended still answers")
		}
	}
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
