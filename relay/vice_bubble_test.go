package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"relay/relay/lineage"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// vice is how a parent is hostile.
type vice struct {
	delay    time.Duration // everything it says and sends is that old, its clock with it
	repeats  int           // how often it sends each chunk once more
	forges   bool          // it alters a bit of each chunk
	holds    bool          // it sends no chunk, and keeps time
	timeless bool          // it does not tell the clock
	beatless bool          // it passes on no beat but that before the welcome
	poses    bool          // it says that it is the root
	// proves, if not nil, is what it shows of the place of a child.
	proves func(t *testing.T, w *world, l *villain, child identity) wire.Lineage
	adds   func() []wire.Frame // what it says besides with each heartbeat
	older  bool                // it knows relay/2 and no more, which is no vice
}

// villain is a parent with a vice. What it sends it has from an honest node.
type villain struct {
	vice
	w     *world
	spy   *inhabitant
	id    identity
	place tree.Place
	ln    net.Listener

	mu    sync.Mutex
	beats []*stream.Beat // that the spy has had
	chunk []stamped
	heard []string // the types of the frames that have come
	wg    sync.WaitGroup
	cut   int // links that others have ended
}

type stamped struct {
	stream.Item
	at time.Time
}

func (w *world) villain(ctx context.Context, spy *inhabitant, v vice) *villain {
	w.t.Helper()
	l := &villain{vice: v, w: w, spy: spy}
	var err error
	if l.id, err = newIdentity(w.key()); err != nil {
		w.t.Fatal(err)
	}
	at := spy.place.Addrs[0]
	host := w.net.Host(at.Addr().Next().Next().Next().Next().Next().Next().Next().Next())
	if l.ln, err = host.Listen(worldPort); err != nil {
		w.t.Fatal(err)
	}
	l.place = tree.Place{ID: l.id.id, Addrs: []netip.AddrPort{addrPort(l.ln.Addr())}}
	l.wg.Go(func() { l.look(ctx) })
	l.wg.Go(func() { l.listen(ctx) })
	context.AfterFunc(ctx, func() { l.ln.Close() })
	return l
}

// look notes what the honest node has, and when.
func (l *villain) look(ctx context.Context) {
	c := l.spy.Ring().Cursor()
	l.wg.Go(func() {
		for {
			it, err := c.Next(ctx)
			if err != nil {
				return
			}
			l.mu.Lock()
			l.chunk = append(l.chunk, stamped{it, time.Now()})
			l.mu.Unlock()
		}
	})
	for ctx.Err() == nil {
		if b := l.spy.intake.beat.Load(); b != nil {
			l.mu.Lock()
			if n := len(l.beats); n == 0 || l.beats[n-1] != b {
				l.beats = append(l.beats, b)
			}
			l.mu.Unlock()
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (l *villain) listen(ctx context.Context) {
	for {
		conn, err := l.ln.Accept()
		if err != nil {
			return
		}
		l.wg.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			protocols := []string{alpn, alpn5, alpn4, alpn3, alpn2, alpn1}
			if l.older {
				protocols = protocols[4:]
			}
			tc := tls.Server(conn, l.id.tlsConfig(protocols...))
			if tc.HandshakeContext(ctx) == nil {
				l.serve(ctx, tc)
			}
		})
	}
}

// clock is what it says that the root's clock shows.
func (l *villain) clock() time.Duration {
	return time.Since(l.w.root.writer.Start()) - l.delay
}

// beat is the newest beat that it lets out.
func (l *villain) beat() *stream.Beat {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b *stream.Beat
	for _, o := range l.beats {
		if b == nil || ms(o.Ms()) <= l.clock() {
			b = o
		}
	}
	return b
}

func (l *villain) label() tree.Label {
	h := uint16(1)
	if l.poses {
		h = 0
	}
	return tree.Label{Epoch: tree.Epoch(l.w.root.writer.Epoch()), E: uint64(l.clock() / tree.LabelStep), H: h}
}

func (l *villain) path() []tree.Place {
	if l.poses {
		return []tree.Place{l.place}
	}
	return []tree.Place{l.w.root.place, l.place}
}

// lineage is what it proves to a child, as a list of frames: none if it proves nothing.
func (l *villain) lineage(conn *tls.Conn) []wire.Frame {
	if l.proves == nil {
		return nil
	}
	child, err := peerID(conn.ConnectionState())
	if err != nil {
		l.w.t.Error(err)
	}
	return []wire.Frame{l.proves(l.w.t, l.w, l, identity{id: child})}
}

func (l *villain) serve(ctx context.Context, conn *tls.Conn) {
	r := wire.NewReader(conn, wire.Stranger)
	f, err := r.Next()
	if err != nil {
		return
	}
	if _, ok := f.(wire.Hello); !ok {
		return
	}
	r.Expect(wire.Child)
	var mu sync.Mutex // guards report, pull, and writes
	var report tree.Report
	var reported time.Time
	var pull *tree.Pull
	say := func(fs ...wire.Frame) error {
		for _, f := range fs {
			if _, err := conn.Write(wire.Append(nil, f)); err != nil {
				return err
			}
		}
		return nil
	}
	b := l.beat()
	if say(slices.Concat([]wire.Frame{b}, l.lineage(conn), []wire.Frame{tree.Welcome{Label: l.label(), Path: l.path()}})...) != nil {
		return
	}
	var reading sync.WaitGroup
	defer reading.Wait() // what the other side said last is heard though it takes nothing any more
	reading.Go(func() {
		for {
			f, err := r.Next()
			l.mu.Lock()
			l.heard = append(l.heard, fmt.Sprintf("%T", f))
			l.mu.Unlock()
			mu.Lock()
			switch f := f.(type) {
			case tree.Report:
				report, reported = f, time.Now()
			case tree.Pull:
				pull = &f
			}
			if err != nil {
				l.cut++
				conn.NetConn().Close()
				mu.Unlock()
				return
			}
			mu.Unlock()
		}
	})
	var header *stream.Header
	proved := time.Now()
	sent := stream.Position{}
	for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		mu.Lock()
		hb := tree.Heartbeat{Label: l.label()}
		if !reported.IsZero() && !l.timeless {
			hb.Clock, hb.Echo, hb.Held = uint64(l.clock().Microseconds()), report.Sent, uint64(time.Since(reported).Microseconds())
		}
		p := pull
		mu.Unlock()
		fs := []wire.Frame{hb}
		if l.adds != nil && p != nil {
			fs = append(fs, l.adds()...)
		}
		if nb := l.beat(); nb != b && !l.beatless {
			b = nb
			fs = append(fs, b)
		}
		if time.Since(proved) >= lineage.Renewal {
			proved = time.Now()
			fs = append(fs, l.lineage(conn)...)
		}
		if p != nil && !l.holds {
			l.mu.Lock()
			all := slices.Clone(l.chunk)
			l.mu.Unlock()
			for _, it := range all {
				if time.Since(it.at) < l.delay || it.Chunk.Position().Compare(sent) <= 0 || it.Chunk.Position().Compare(stream.Position{Epoch: stream.Epoch(p.Have.Epoch), Seq: p.Have.Seq}) <= 0 ||
					sent.Seq == 0 && !it.Chunk.Has(stream.Key) && p.Have.Seq == 0 {
					continue
				}
				if it.Header != header {
					header = it.Header
					fs = append(fs, header)
				}
				sent = it.Chunk.Position()
				for range 1 + l.repeats {
					fs = append(fs, l.made(it.Chunk))
				}
			}
		}
		if say(fs...) != nil {
			return
		}
	}
}

// made is the chunk as the villain passes it on.
func (l *villain) made(c *stream.Chunk) *stream.Chunk {
	if !l.forges {
		return c
	}
	b := slices.Clone(c.Frame())
	b[len(b)-stream.SignatureLen-1] ^= 1
	f, err := stream.ParseChunk(b)
	if err != nil {
		l.w.t.Error(err)
	}
	return f
}

// below reports whether a node takes the stream from the villain.
func (l *villain) below(n *inhabitant) bool {
	s, ok := n.Status()
	return ok && s.Tree.Parent.ID == l.id.id
}

// TestAHostileParentIsLeftAndAvoided has a newcomer begin below a hostile parent, and a node that
// stands well elsewhere see to it that there is somebody to ask.
func TestAHostileParentIsLeftAndAvoided(t *testing.T) {
	for name, c := range map[string]struct {
		vice
		within time.Duration
		shown  time.Duration // the delay, at least, before it is left
		word   string        // why it is left, as the status has it
	}{
		"delays all by 10 s, and its clock":  {vice: vice{delay: 10 * time.Second}, within: 5 * time.Second, shown: 9 * time.Second, word: "slow"},
		"delays all, and tells no clock":     {vice: vice{delay: 10 * time.Second, timeless: true}, within: 5 * time.Second, shown: 9 * time.Second, word: "slow"},
		"delays all, and passes on no beats": {vice: vice{delay: 10 * time.Second, beatless: true}, within: 5 * time.Second, shown: 9 * time.Second, word: "slow"},
		"forges":                             {vice: vice{forges: true}, within: time.Second, word: "forged"},
		"repeats each chunk 300 times":       {vice: vice{repeats: 300}, within: time.Second, word: "protocol"},
		"withholds":                          {vice: vice{holds: true}, within: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 4, func(t *testing.T, w *world) {
				w.crowd(2, 4)
				ctx, cancel := context.WithCancel(t.Context())
				l := w.villain(ctx, w.all[1], c.vice)
				defer func() { cancel(); l.wg.Wait() }()
				time.Sleep(15 * time.Second) // it has something to delay
				begun := time.Now()
				n := w.add(option{slots: 2, hosts: []HostPort{hostPort(l.place)}})
				others := w.all[:3]
				fell := false
				shown := time.Duration(0)
				w.within(c.within, "it is left", func(n *inhabitant) bool {
					below := l.below(n)
					fell = fell || below
					if below {
						shown = max(shown, n.status(t).Delay)
					}
					return n.status(t).Tree.Attached && !below && (fell || time.Since(begun) > time.Second) && n.Ring().Head().Seq > 0
				}, others...)
				t.Logf("left after %v; shown as %v behind", time.Since(begun), shown)
				if fell && shown < c.shown {
					t.Errorf("shown as %v behind", shown)
				}
				w.within(2*time.Second, "it is up to date", func(n *inhabitant) bool { return n.Ring().Head().Seq >= w.root.Ring().Head().Seq-2 })
				if left := n.status(t).Left; c.word != "" && left[c.word] == 0 {
					t.Errorf("it says that it has left %v", left)
				}
				for range 200 {
					time.Sleep(100 * time.Millisecond)
					if l.below(n) {
						t.Fatal("it has gone back")
					}
				}
			})
		})
	}
}
