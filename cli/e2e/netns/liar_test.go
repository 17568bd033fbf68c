//go:build e2e && linux

package netns

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"relay/cli/e2e/internal/wait"
	"relay/relay"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// relayALPN and relayPort are what a node speaks and listens on.
	relayALPN = "relay/1"
	relayPort = relay.DefaultPort
	// boast is how many children a liar says it could take: nobody has more.
	boast = 1000
	// dialTime bounds a liar's own dials.
	dialTime = 3 * time.Second
)

// liar is a member of a channel that speaks the protocol well but keeps none of its promises.
// It joins as a child, claims to be the best parent, and treats every node that comes as its
// manners say.
type liar struct {
	host    *host
	channel stream.ChannelID
	id      tree.ID
	tls     *tls.Config
	manners manners
	place   tree.Place
	circle  []*liar // the liars of a test, who know each other; set before any node knows them

	ctx  context.Context
	wg   sync.WaitGroup
	ring *stream.Ring // what its own parent gives it

	mu      sync.Mutex
	label   tree.Label // the parent's, as of the newest heartbeat
	clock   uint64     // likewise
	when    time.Time  // of both
	path    []tree.Place
	beat    *stream.Beat
	visits  map[tree.ID]int // hellos of each node
	pulls   map[tree.ID]int // and how often it was pulled
	joined  chan struct{}   // closed when a parent has welcomed it
	welcome sync.Once
}

// manners says how a liar behaves.
type manners struct {
	// refer, if not nil, makes the answer for every node.
	refer func(l *liar) []tree.Place
	// label changes the true label. nil leaves it as it is.
	label func(l tree.Label) tree.Label
	// path changes the true path. nil leaves it as it is.
	path func(p []tree.Place) []tree.Place
	// deliver says whether it passes the stream on.
	deliver bool
}

// newIdentity makes a node's key and its TLS configuration.
func newIdentity(t *testing.T) (tree.ID, *tls.Config) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(nil)
	must(t, err)
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, pub, key)
	must(t, err)
	return relay.NodeID(pub), &tls.Config{
		MinVersion:         tls.VersionTLS13,
		Certificates:       []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		ClientAuth:         tls.RequireAnyClientCert,
		InsecureSkipVerify: true, // a node is its key, and a liar checks nobody's
		NextProtos:         []string{relayALPN},
	}
}

// newLiar starts a liar on a host. It ends when the test does.
func newLiar(t *testing.T, h *host, link string, m manners) *liar {
	t.Helper()
	u, err := relay.ParseInvite(link)
	must(t, err)
	l := &liar{
		host: h, channel: u.Channel, manners: m, ring: stream.NewRing(stream.Limits{}),
		visits: make(map[tree.ID]int), pulls: make(map[tree.ID]int), joined: make(chan struct{}),
	}
	l.id, l.tls = newIdentity(t)
	l.place = tree.Place{ID: l.id, Addrs: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr(h.addr), relayPort)}}
	var ln net.Listener
	must(t, h.do(func() error {
		ln, err = net.Listen("tcp", l.place.Addrs[0].String())
		return err
	}))
	ctx, cancel := context.WithCancel(context.Background())
	l.ctx = ctx
	context.AfterFunc(ctx, func() { ln.Close() })
	l.wg.Go(func() { l.receive(ln) })
	t.Cleanup(func() {
		cancel()
		l.wg.Wait()
	})
	return l
}

// receive accepts every connection. It ends with the listener.
func (l *liar) receive(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		l.wg.Go(func() { // ends with the connection, or with l.ctx
			defer context.AfterFunc(l.ctx, func() { conn.Close() })()
			defer conn.Close()
			_ = l.greet(tls.Server(conn, l.tls)) // whatever ends it
		})
	}
}

func (l *liar) greet(conn *tls.Conn) error {
	ctx, cancel := context.WithTimeout(l.ctx, dialTime)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	r := wire.NewReader(conn, wire.Stranger)
	f, err := r.Next()
	if err != nil {
		return err
	}
	if _, ok := f.(wire.Hello); !ok {
		return wire.ErrNotDue
	}
	r.Expect(wire.Child)
	peer := relay.NodeID(conn.ConnectionState().PeerCertificates[0].PublicKey.(ed25519.PublicKey))
	l.mu.Lock()
	l.visits[peer]++
	l.mu.Unlock()
	if l.manners.refer != nil {
		_, err := conn.Write(wire.Append(nil, tree.Refer{Reason: tree.ReasonFull, Places: l.manners.refer(l)}))
		return err
	}
	return l.mislead(conn, r, peer)
}

// mislead plays a parent.
func (l *liar) mislead(conn *tls.Conn, r *wire.Reader, peer tree.ID) error {
	if err := l.say(conn, l.greeting()...); err != nil {
		return err
	}
	pulled := make(chan tree.Pull, 1)
	var mu sync.Mutex
	var echo uint64
	var at time.Time
	l.wg.Go(func() { // ends with the connection
		defer conn.NetConn().Close()
		for {
			f, err := r.Next()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case tree.Pull:
				l.mu.Lock()
				l.pulls[peer]++
				l.mu.Unlock()
				select {
				case pulled <- f:
				default:
				}
			case tree.Report:
				mu.Lock()
				echo, at = f.Sent, time.Now()
				mu.Unlock()
			}
		}
	})
	var cursor *stream.Cursor
	var header *stream.Header
	var beat *stream.Beat
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var wait <-chan struct{}
		for cursor != nil && wait == nil {
			it, w, err := cursor.Poll()
			if err != nil {
				return err
			}
			if wait = w; wait != nil {
				break
			}
			var fs []wire.Frame
			if it.Jump {
				fs = append(fs, wire.Gap{Missed: it.Missed})
			}
			if it.Header != header {
				header = it.Header
				fs = append(fs, header)
			}
			if err := l.say(conn, append(fs, it.Chunk)...); err != nil {
				return err
			}
		}
		select {
		case p := <-pulled:
			if err := l.say(conn, l.greeting()...); err != nil { // a standby link is welcomed again
				return err
			}
			if l.manners.deliver {
				cursor = l.ring.Resume(stream.Position{Epoch: stream.Epoch(p.Have.Epoch), Seq: p.Have.Seq})
			}
		case <-wait:
		case now := <-tick.C:
			mu.Lock()
			hb := tree.Heartbeat{Label: l.claim(), Clock: l.rootClock(now), Echo: echo, Best: openRoom}
			if echo > 0 {
				hb.Held = uint64(now.Sub(at).Microseconds())
			}
			mu.Unlock()
			fs := []wire.Frame{hb}
			if b := l.signed(); b != nil && b != beat {
				beat = b
				fs = append([]wire.Frame{b}, fs...)
			}
			if err := l.say(conn, fs...); err != nil {
				return err
			}
		case <-l.ctx.Done():
			return context.Cause(l.ctx)
		}
	}
}

// openRoom says that there is room at once, for joiners of every class.
var openRoom tree.Room

// greeting is a welcome, and the signed clock that makes it believable.
func (l *liar) greeting() []wire.Frame {
	l.mu.Lock()
	path := append(l.path[:len(l.path):len(l.path)], l.place)
	l.mu.Unlock()
	if l.manners.path != nil {
		path = l.manners.path(path)
	}
	w := tree.Welcome{Label: l.claim(), Path: path}
	if b := l.signed(); b != nil {
		return []wire.Frame{b, w}
	}
	return []wire.Frame{w}
}

// claim is the label that it shows.
func (l *liar) claim() tree.Label {
	l.mu.Lock()
	own := l.label
	l.mu.Unlock()
	own.H++
	if l.manners.label != nil {
		own = l.manners.label(own)
	}
	return own
}

func (l *liar) signed() *stream.Beat {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.beat
}

// rootClock is the root's clock now, as its parent told it.
func (l *liar) rootClock(now time.Time) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.clock == 0 {
		return 0
	}
	return l.clock + uint64(now.Sub(l.when).Microseconds())
}

func (l *liar) say(conn *tls.Conn, frames ...wire.Frame) error {
	var b []byte
	for _, f := range frames {
		b = wire.Append(b, f)
	}
	if err := conn.SetWriteDeadline(time.Now().Add(dialTime)); err != nil {
		return err
	}
	_, err := conn.Write(b)
	return err
}

// call connects to a node as a stranger.
func (l *liar) call(ctx context.Context, addr string) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn, err := l.host.dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	tc := tls.Client(conn, l.tls)
	if err := tc.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return tc, nil
}

// join makes the liar a child of a node, and waits until it is.
func (l *liar) join(t *testing.T, n *node) {
	t.Helper()
	l.wg.Go(func() { // ends with l.ctx
		for l.ctx.Err() == nil {
			_ = l.attend(netip.AddrPortFrom(netip.MustParseAddr(n.addr), relayPort).String()) // again, whatever ended it
			select {
			case <-l.ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	})
	select {
	case <-l.joined:
	case <-time.After(wait.Patience):
		t.Fatalf("%s has not taken the liar within %v", n.name, wait.Patience)
	}
}

// errReferred says that a node wants somebody else to take the liar.
var errReferred = errors.New("referred")

// attend runs one link to a parent: it reports lies and takes in the true stream.
func (l *liar) attend(addr string) error {
	conn, err := l.call(l.ctx, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(l.ctx, func() { conn.NetConn().Close() })()
	join := tree.Join{Addrs: l.place.Addrs, Slots: boast}
	if err := l.say(conn, wire.Hello{Channel: l.channel, Join: join}); err != nil {
		return err
	}
	ended := make(chan struct{})
	defer close(ended)
	r := wire.NewReader(conn, wire.Parent)
	for reporting := false; ; {
		f, err := r.Next()
		if err != nil {
			return err
		}
		switch f := f.(type) {
		case tree.Refer:
			return fmt.Errorf("%w: %v", errReferred, f.Reason)
		case tree.Welcome:
			l.mu.Lock()
			l.path, l.label = f.Path, f.Label
			l.mu.Unlock()
			if err := l.say(conn, tree.Pull{}); err != nil {
				return err
			}
			if !reporting {
				reporting = true
				l.wg.Go(func() { l.boast(conn, ended) })
			}
			l.welcome.Do(func() { close(l.joined) })
		case tree.Heartbeat:
			l.mu.Lock()
			l.label, l.clock, l.when = f.Label, f.Clock, time.Now()
			l.mu.Unlock()
		case tree.Path:
			l.mu.Lock()
			l.path = f.Path
			l.mu.Unlock()
		case *stream.Beat:
			l.mu.Lock()
			l.beat = f
			l.mu.Unlock()
		case *stream.Header:
			l.ring.SetHeader(f)
		case *stream.Chunk:
			_, _ = l.ring.Append(f) // a gap waits for the next key
		}
	}
}

// boast reports room that is not there until the link has ended.
func (l *liar) boast(conn *tls.Conn, ended <-chan struct{}) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for now := time.Now(); ; {
		r := tree.Report{Sent: uint64(now.UnixMicro()), Slots: boast, Free: boast, Room: openRoom}
		if err := l.say(conn, r); err != nil {
			return // the reader sees it too
		}
		select {
		case now = <-tick.C:
		case <-ended:
			return
		}
	}
}

// seen returns how many nodes came, the most visits of one node, and the most pulls of one.
func (l *liar) seen() (visitors, visits, pulls int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.visits {
		visitors++
		visits = max(visits, n)
	}
	for _, n := range l.pulls {
		pulls = max(pulls, n)
	}
	return visitors, visits, pulls
}
