package relay

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"relay/relay/membership"
	"relay/relay/relaytest"
	"relay/relay/seal"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// tapped is a socket that shows what is sent.
type tapped struct {
	*relaytest.PacketConn
	show func([]byte)
}

func (p tapped) WriteTo(b []byte, to net.Addr) (int, error) {
	p.show(b)
	return p.PacketConn.WriteTo(b, to)
}

// capture is bytes that several goroutines bring.
type capture struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (c *capture) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b.Write(b)
}

func (c *capture) show(b []byte) { _, _ = c.Write(b) }

func (c *capture) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.b.Bytes())
}

// saysChannel reports whether a node says that it does not carry the channel.
func saysChannel(f wire.Frame) bool {
	b, ok := f.(tree.Bye)
	return ok && b.Reason == tree.ReasonChannel
}

const secretTitle = "The title that nobody else may read"

// privately is a world with a private channel, and what each of its tags holds.
func privately() (*world, func(i int) []byte) {
	tag := func(i int) []byte {
		m := fixedBytes(uint64(i), 700)
		return append(m, fmt.Sprintf("frame %d", i)...)
	}
	return &world{access: seal.New(), header: []byte(secretTitle), tag: tag}, tag
}

func fixedBytes(seed uint64, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		seed = seed*6364136223846793005 + 1442695040888963407
		b[i] = byte(seed >> 33)
	}
	return b
}

// shows reports what of the channel is to be seen in a capture: any 16 bytes that stand together in a
// tag or the title, or the secret.
func (w *world) shows(captured []byte, tags int) string {
	for i := range tags {
		t := w.tag(i)
		for at := 0; at+16 <= len(t); at += 3 {
			if bytes.Contains(captured, t[at:at+16]) {
				return fmt.Sprintf("tag %d at byte %d", i, at)
			}
		}
	}
	for at := 0; at+16 <= len(secretTitle); at++ {
		if bytes.Contains(captured, []byte(secretTitle[at:at+16])) {
			return "the title"
		}
	}
	if bytes.Contains(captured, []byte(w.access.Fragment())) {
		return "the secret"
	}
	return ""
}

// A tree of nodes that can read and nodes that cannot, in which the latter stand above the former.
func TestNodesWithTheJoinPartPassOnWhatTheyCannotRead(t *testing.T) {
	w, tag := privately()
	inside(t, 1, w, func(t *testing.T, w *world) {
		var log, packets capture
		join := w.access.JoinOnly(w.root.ID())
		logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "m"}), zapcore.AddSync(&log), zapcore.DebugLevel))
		blind := w.add(option{slots: 1, access: &join, tap: packets.show, log: logger})
		w.within(5*time.Second, "it is attached", w.attached)
		viewer := w.add(option{slots: 1})
		w.within(10*time.Second, "all are attached", w.attached)
		if p := viewer.status(t).Tree.Parent.ID; p != blind.place.ID {
			t.Fatalf("the viewer's parent is %s", p.Short())
		}
		w.within(3*time.Minute, "all are members", func(n *inhabitant) bool { return n.peers.gossip.Len() == 3 })
		time.Sleep(10 * time.Second)
		w.wantWhole(blind)

		if !blind.Private() || blind.CanRead() || !viewer.CanRead() || blind.Ring().Header() != nil || blind.Ring().Stats().Received != 0 {
			t.Error("a node with the join part has something to play")
		}
		h := viewer.Ring().Header()
		it, err := viewer.Ring().Cursor().Next(t.Context())
		if err != nil || string(h.Payload()) != secretTitle || !bytes.Equal(it.Chunk.Payload(), tag(int(it.Chunk.Seq())-1)) {
			t.Errorf("the viewer gets header %q and chunk %q, %v", h.Payload(), it.Chunk.Payload(), err)
		}

		// All that the blind node holds, sends and says.
		held := packets.bytes()
		if len(held) == 0 {
			t.Fatal("no packets were captured")
		}
		if bytes.Contains(held, []byte(blind.place.ID.String())) || bytes.Contains(held, blind.node.cfg.Key[32:]) {
			t.Error("packets of gossip are in the clear")
		}
		seq := uint64(0)
		for c := blind.ring.Resume(stream.Position{Epoch: blind.ring.Head().Epoch}); ; {
			it, wait, err := c.Poll()
			if err != nil || wait != nil {
				break
			}
			seq = it.Chunk.Seq()
			held = append(append(held, it.Header.Frame()...), it.Chunk.Frame()...)
		}
		if seq < 50 {
			t.Fatalf("it holds %d chunks", seq)
		}
		s, err := blind.Survey(t.Context())
		if err != nil || s.Err != nil || len(s.View.Nodes) != 3 {
			t.Errorf("it sees %d nodes of the tree, %v, %v", len(s.View.Nodes), err, s.Err)
		}
		held = append(held, fmt.Sprintf("%+v %+v %s", s, blind.status(t), blind.Invite(nil).Link())...)
		if len(log.bytes()) == 0 {
			t.Fatal("no log was captured")
		}
		held = append(held, log.bytes()...)
		held = append(held, fmt.Sprintf("%+v", w.root.heard)...)
		if what := w.shows(held, int(seq)); what != "" {
			t.Errorf("%s is to be seen at a node that cannot read", what)
		}
		// The check itself must be able to fail.
		if w.shows(viewer.Ring().Header().Payload(), 0) == "" || w.shows(it.Chunk.Payload(), int(it.Chunk.Seq())) == "" || w.shows([]byte(viewer.Invite(nil).Link()), 0) == "" {
			t.Error("nothing would be found")
		}
	})
}

// stranger dials a node by hand.
type dialler struct {
	*tls.Conn
	got capture // what the other side says, decrypted
	r   *wire.Reader
}

func (w *world) dialRoot(t *testing.T, protocols ...string) *dialler {
	t.Helper()
	return w.dialAt(t, w.root.place, protocols...)
}

func (w *world) dialAt(t *testing.T, p tree.Place, protocols ...string) *dialler {
	t.Helper()
	return w.dialFrom(t, "10.9.9.9", p, protocols...)
}

// dialFrom is dialAt from another address.
func (w *world) dialFrom(t *testing.T, from string, p tree.Place, protocols ...string) *dialler {
	t.Helper()
	conn, err := w.net.Host(netip.MustParseAddr(from)).Dial(t.Context(), "tcp", p.Addrs[0].String())
	if err != nil {
		t.Fatal(err)
	}
	d := &dialler{Conn: tls.Client(conn, newTestIdentity(t, newKey(t)).tlsConfig(protocols...))}
	if err := d.Handshake(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	d.r = wire.NewReader(io.TeeReader(d.Conn, &d.got), wire.Parent)
	return d
}

// ends reads all that still comes, and returns it as well as how long it took.
func (d *dialler) ends(t *testing.T) (string, time.Duration) {
	t.Helper()
	begin := time.Now()
	if err := d.SetReadDeadline(begin.Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(&d.got, d.Conn); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Log(err)
	}
	return string(d.got.bytes()), time.Since(begin)
}

// Whatever is asked of a private channel: without a proof, with a wrong one and for a channel that is
// not there, the answers are the same, byte for byte and to the moment.
func TestAWrongSecretIsAnsweredLikeAnUnknownChannel(t *testing.T) {
	w, _ := privately()
	inside(t, 3, w, func(t *testing.T, w *world) {
		w.within(time.Second, "it is there", w.attached)
		id, unknown := w.root.ID(), stream.ChannelID{1}
		right := passOf(id, w.access)
		for name, first := range map[string]func(stream.ChannelID) wire.Frame{
			"hello":   func(id stream.ChannelID) wire.Frame { return wire.Hello{Channel: id} },
			"standby": func(id stream.ChannelID) wire.Frame { return wire.Hello{Channel: id, Join: tree.Join{Standby: true}} },
			"survey":  func(id stream.ChannelID) wire.Frame { return wire.Survey{Channel: id} },
			"offer":   func(id stream.ChannelID) wire.Frame { return wire.Offer{Channel: id} },
			"dialme":  func(id stream.ChannelID) wire.Frame { return wire.DialMe{Channel: id, Port: 7144} },
			"later": func(id stream.ChannelID) wire.Frame {
				return wire.Later{Channel: id, Beat: w.root.writer.Beat(), At: tree.Place{ID: tree.ID{1}}}
			},
		} {
			type answer struct {
				said string
				took time.Duration
			}
			ask := func(id stream.ChannelID, p *pass) answer {
				d := w.dialRoot(t, alpn)
				var b []byte
				if p != nil {
					var err error
					if b, err = p.appendProof(nil, d.Conn, seal.Client); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := d.Write(wire.Append(b, first(id))); err != nil {
					t.Fatal(err)
				}
				said, took := d.ends(t)
				return answer{said, took}
			}
			wrong := passOf(id, seal.New())
			other := passOf(unknown, w.access)
			want := ask(unknown, nil)
			if f, err := wire.Parse([]byte(want.said)); err != nil || !saysChannel(f) {
				t.Fatalf("%s of an unknown channel: %q, %v", name, want.said, err)
			}
			for what, got := range map[string]answer{
				"no proof":                      ask(id, nil),
				"a wrong secret":                ask(id, &wrong),
				"a secret for an unknown one":   ask(unknown, &other),
				"the right secret, another one": ask(unknown, &right),
			} {
				if got != want {
					t.Errorf("%s with %s: %q after %v, want %q after %v", name, what, got.said, got.took, want.said, want.took)
				}
			}
		}
		// Who has read a proof cannot use it: it is of another connection.
		d := w.dialRoot(t, alpn)
		proof, err := right.prove(w.dialRoot(t, alpn).Conn, seal.Client)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Write(wire.Append(wire.Append(nil, proof), wire.Hello{Channel: id})); err != nil {
			t.Fatal(err)
		}
		if f, err := d.r.Next(); err != nil || !saysChannel(f) {
			t.Errorf("%v, %v", f, err)
		}
		// The right one is let in, and shown the same.
		d = w.dialRoot(t, alpn)
		if err := right.begin(d.Conn, wire.Survey{Channel: id}); err != nil {
			t.Fatal(err)
		}
		if f, err := right.answer(d.Conn, d.r); err != nil || len(f.(wire.Whole).Nodes) != 1 {
			t.Errorf("%v, %v", f, err)
		}
		d = w.dialRoot(t, alpn)
		if err := right.begin(d.Conn, w.root.ownLaterOf(w.root.writer.Beat())); err != nil {
			t.Fatal(err)
		}
		if f, err := right.answer(d.Conn, d.r); err != nil || f.(wire.Later).At.ID != w.root.place.ID {
			t.Errorf("%v, %v", f, err)
		}
	})
}

// What a link brings to a node that has the join part, read by hand.
func TestALinkBringsNothingThatTheJoinPartReads(t *testing.T) {
	w, _ := privately()
	inside(t, 3, w, func(t *testing.T, w *world) {
		id := w.root.ID()
		p := passOf(id, w.access.JoinOnly(id))
		d := w.dialRoot(t, alpn)
		if err := p.begin(d.Conn, wire.Hello{Channel: id, Join: tree.Join{Slots: 1}}); err != nil {
			t.Fatal(err)
		}
		if f, err := d.r.Next(); err != nil || !p.proves(f, d.Conn, seal.Server) {
			t.Fatalf("%#v, %v", f, err)
		}
		if _, err := d.Write(wire.Append(nil, tree.Pull{})); err != nil {
			t.Fatal(err)
		}
		kinds := map[string]int{}
		for chunks := 0; chunks < 30; {
			f, err := d.r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if c, ok := f.(*stream.Chunk); ok {
				chunks++
				if !c.Has(stream.Enc) {
					t.Error("a chunk is not sealed")
				}
			}
			kinds[fmt.Sprintf("%T", f)]++
			if _, err := d.Write(wire.Append(nil, tree.Report{})); err != nil {
				t.Fatal(err)
			}
		}
		for _, k := range []string{"*stream.Chunk", "*stream.Header", "*stream.Beat", "tree.Heartbeat", "wire.Sample"} {
			if kinds[k] == 0 {
				t.Errorf("no %s has come", k)
			}
		}
		if what := w.shows(d.got.bytes(), 100); what != "" {
			t.Errorf("%s is to be seen", what)
		}
	})
}

// Nodes without the secret, with another, and of another version stay out, and hear why.
func TestWhoHasNotTheSecretStaysOut(t *testing.T) {
	w, _ := privately()
	inside(t, 3, w, func(t *testing.T, w *world) {
		none, wrong := seal.Access{}, seal.New()
		for name, access := range map[string]*seal.Access{"no secret": &none, "another secret": &wrong} {
			n := w.add(option{slots: 1, access: access})
			time.Sleep(5 * time.Second)
			if w.attached(n) || n.ring.Stats().Received > 0 {
				t.Errorf("%s: it is let in", name)
			}
			n.mu.Lock()
			told := slices.ContainsFunc(n.heard, func(x Notice) bool { r, ok := x.(Refused); return ok && r.Reason == tree.ReasonChannel })
			if !told {
				t.Errorf("%s: it hears %v", name, n.heard)
			}
			n.mu.Unlock()
			n.cancel()
			n.wg.Wait()
		}
		w.all = w.all[:1]
	})
	if _, err := (&Node{}).Watch(Invite{Access: mustAccess(t, "passphrase")}, nil); !errors.Is(err, ErrPassphrase) {
		t.Errorf("without its passphrase: %v", err)
	}
}

func mustAccess(t *testing.T, fragment string) seal.Access {
	t.Helper()
	a, err := seal.Parse(fragment)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A node that knows the channel's ID and not its secret cannot be the parent of one that does: it is
// left as if it did not carry the channel, before it hears anything but the channel's name.
func TestAParentWithoutTheSecretIsLeft(t *testing.T) {
	w, _ := privately()
	inside(t, 3, w, func(t *testing.T, w *world) {
		liar := w.net.Host(netip.MustParseAddr("10.9.9.9"))
		ln, err := liar.Listen(worldPort)
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		ident := newTestIdentity(t, newKey(t))
		heard := make(chan []string, 1)
		go func() { // ends with ln
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			tc := tls.Server(conn, ident.tlsConfig(alpn))
			r := wire.NewReader(tc, wire.Stranger)
			var frames []string
			for {
				f, err := r.Next()
				if err != nil {
					break
				}
				frames = append(frames, fmt.Sprintf("%T", f))
				if _, ok := f.(wire.Hello); ok {
					r.Expect(wire.Child)
					welcome := tree.Welcome{Label: tree.Label{Epoch: tree.Epoch{Ms: uint64(time.Now().UnixMilli())}, E: 5}, Path: []tree.Place{{ID: ident.id}}}
					if _, err := tc.Write(wire.Append(nil, welcome)); err != nil {
						break
					}
				}
			}
			heard <- frames
		}()
		n := w.add(option{slots: 1, hosts: []HostPort{{"10.9.9.9", worldPort}}})
		got := <-heard
		if !slices.Equal(got, []string{"wire.Prove", "wire.Hello"}) {
			t.Errorf("it hears %v", got)
		}
		synctest.Wait()
		if w.attached(n) {
			t.Error("it is taken for a parent")
		}
		n.mu.Lock()
		if !slices.ContainsFunc(n.heard, func(x Notice) bool { r, ok := x.(Refused); return ok && r.Reason == tree.ReasonChannel }) {
			t.Errorf("%v", n.heard)
		}
		n.mu.Unlock()
	})
}

// A node of relay/2 is told nothing of a private channel, and the user hears why.
func TestAnOlderNodeIsNotAskedForAPrivateChannel(t *testing.T) {
	w, _ := privately()
	inside(t, 3, w, func(t *testing.T, w *world) {
		ln, err := w.net.Host(netip.MustParseAddr("10.9.9.9")).Listen(worldPort)
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		ident := newTestIdentity(t, newKey(t))
		heard := make(chan error, 1)
		go func() { // ends with ln
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_, err = wire.NewReader(tls.Server(conn, ident.tlsConfig(alpn2, alpn1)), wire.Stranger).Next()
			heard <- err
		}()
		n := w.add(option{slots: 1, hosts: []HostPort{{"10.9.9.9", worldPort}}})
		if err := <-heard; !errors.Is(err, io.EOF) {
			t.Errorf("it hears something: %v", err)
		}
		synctest.Wait()
		n.mu.Lock()
		defer n.mu.Unlock()
		if !slices.ContainsFunc(n.heard, func(x Notice) bool { f, ok := x.(DialFailed); return ok && errors.Is(f.Err, ErrOldPrivate) }) {
			t.Errorf("%v", n.heard)
		}
		// And where it asks itself, it hears what any node does that does not know the channel.
		d := w.dialRoot(t, alpn2)
		if _, err := d.Write(wire.Append(nil, wire.Hello{Channel: w.root.ID()})); err != nil {
			t.Fatal(err)
		}
		if f, err := d.r.Next(); err != nil || !saysChannel(f) {
			t.Errorf("%v, %v", f, err)
		}
	})
}

// Who has seen a packet knows the label, and who knows the label still gets nothing.
func TestGossipOfAPrivateChannelIsForItsMembers(t *testing.T) {
	w, _ := privately()
	inside(t, 3, w, func(t *testing.T, w *world) {
		w.crowd(3, 3)
		w.within(3*time.Minute, "all are members", func(n *inhabitant) bool { return n.peers.gossip.Len() == 4 })
		id := w.root.ID()
		if w.root.gossipLabel() == membership.LabelOf(id) {
			t.Error("the label follows from the ID")
		}
		label := w.root.gossipLabel()
		for name, say := range map[string][]byte{
			"the public label": func() []byte { l := membership.LabelOf(id); return l[:] }(),
			"no proof":         append(slices.Clone(label[:]), make([]byte, seal.ProofLen)...),
		} {
			d := w.dialRoot(t, alpnGossip)
			if _, err := d.Write(say); err != nil {
				t.Fatal(err)
			}
			if said, took := d.ends(t); said != "" || took > time.Second {
				t.Errorf("%s: %d bytes after %v", name, len(said), took)
			}
		}
		// A ping in the clear, and one that was sealed with another secret.
		probe, err := w.net.Host(netip.MustParseAddr("10.8.8.8")).ListenPacket(9)
		if err != nil {
			t.Fatal(err)
		}
		defer probe.Close()
		ping := []byte{
			0, 0x83,
			0xa5, 'S', 'e', 'q', 'N', 'o', 1,
			0xaa, 'S', 'o', 'u', 'r', 'c', 'e', 'A', 'd', 'd', 'r', 0xa4, 10, 8, 8, 8,
			0xaa, 'S', 'o', 'u', 'r', 'c', 'e', 'P', 'o', 'r', 't', 9,
		}
		answered := func(packet []byte) bool {
			if _, err := probe.WriteTo(packet, net.UDPAddrFromAddrPort(w.root.place.Addrs[0])); err != nil {
				t.Fatal(err)
			}
			if err := probe.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			_, _, err := probe.ReadFrom(make([]byte, 2000))
			return err == nil
		}
		if answered(append(slices.Clone(label[:]), ping...)) {
			t.Error("a packet in the clear is answered")
		}
		if answered(seal.New().Join(id).SealPacket(slices.Clone(label[:]), ping, label[:])) {
			t.Error("a packet of another secret is answered")
		}
		if !answered(w.access.Join(id).SealPacket(slices.Clone(label[:]), ping, label[:])) {
			t.Error("a packet of this channel is not answered")
		}
		w.wantWhole()
	})
}

func TestAPrivateInviteKeepsItsSecretForThoseWhoShallHaveIt(t *testing.T) {
	inv := Invite{Channel: testChannel(), Hosts: []HostPort{{"a", 1}}, Access: seal.New()}
	frag := inv.Access.Fragment()
	if got, err := ParseInvite(inv.Link()); err != nil || got.Access != inv.Access || !strings.HasSuffix(inv.With(HostPort{"b", 2}).Link(), "@a:1,b:2#"+frag) {
		t.Errorf("%s, %v", got.Link(), err)
	}
	join := inv.JoinOnly()
	if got, err := ParseInvite(join.Link()); err != nil || got.Access != join.Access || strings.Contains(join.Link(), frag) {
		t.Errorf("%s, %v", got.Link(), err)
	}
	if all := fmt.Sprintf("%v %+v %#v %s %q", inv, inv, inv, inv, []Invite{inv}); strings.Contains(all, frag) {
		t.Errorf("the secret is in %s", all)
	}
	for _, bad := range []string{"relay:/" + strings.TrimPrefix(inv.Link(), Scheme), strings.Replace(inv.Link(), "@a:1", "", 1), strings.Replace(inv.Link(), "a:1", "a:0", 1), strings.Replace(inv.Link(), "a:1", "a:1/x", 1), inv.Link() + "a", inv.Link() + "?x", inv.Link()[:len(inv.Link())-1]} {
		if _, err := ParseInvite(bad); err == nil || strings.Contains(err.Error(), frag[:20]) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
