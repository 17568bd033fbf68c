package pcpin

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"relay/ingest/flv"
	"relay/relay/pcp"
	"relay/relay/pcp/pcptest"
	"relay/relay/refusal"
	"relay/relay/relaytest"
)

// world is a network in a bubble, with models of PeerCast and one pull.
type world struct {
	t   *testing.T
	net *relaytest.Network
	ctx context.Context
	us  *relaytest.Host
	end context.CancelFunc // of the pull
	run chan error         // of the pull
	*recorder
	refused refusal.Counts
	hooked  func(addr string) // is told what is dialled; nil for nobody
	tape    *pcptest.Tape     // of what we say; nil for none
}

var channel = pcp.ID{0x97, 0x96, 0x87, 0x80, 0xd0, 0x9c, 0xc9, 0x7b, 0xb9, 0x8d, 0x4a, 0x2b, 0xf2, 0x21, 0xed, 0xe7}

// inBubble runs a test in a network of its own.
func inBubble(t *testing.T, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		n := relaytest.New(10 * time.Millisecond)
		w := &world{t: t, net: n, ctx: ctx, us: n.Host(netip.MustParseAddr("203.0.113.1")), recorder: &recorder{}}
		defer synctest.Wait()
		defer cancel()
		f(w)
		if w.end != nil {
			w.end()
			<-w.run
		}
	})
}

// at is the address of a host of this number.
func at(n byte) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, n}), 7144)
}

// model starts a model of PeerCast.
func (w *world) model(kind pcptest.Kind, n byte, slots int) (*pcptest.Peer, *relaytest.Host) {
	w.t.Helper()
	return w.modelAt(kind, n, at(n), slots)
}

// modelAt starts one at an address.
func (w *world) modelAt(kind pcptest.Kind, n byte, at netip.AddrPort, slots int) (*pcptest.Peer, *relaytest.Host) {
	w.t.Helper()
	h := w.net.Host(at.Addr())
	ln, err := h.Listen(at.Port())
	if err != nil {
		w.t.Fatal(err)
	}
	p := pcptest.New(kind, n, at, slots)
	p.Dial = h.Dial
	go p.Serve(w.ctx, ln) // ends with the bubble's ctx
	return p, h
}

// pull begins to fetch from a tip.
func (w *world) pull(tip netip.AddrPort) {
	p := Pull{
		From: Address{Tip: tip.String(), Channel: channel}, Session: pcp.ID{1, 1}, Agent: "relay/test", Open: w.open,
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if w.hooked != nil {
				w.hooked(addr)
			}
			conn, err := w.us.Dial(ctx, network, addr)
			if err == nil && w.tape != nil {
				conn = w.tape.Of(conn)
			}
			return conn, err
		},
		Refused: &w.refused, Told: w.tell, Watching: func() int { return 3 },
	}
	ctx, cancel := context.WithCancel(w.ctx)
	w.end, w.run = cancel, make(chan error, 1)
	go func() { w.run <- p.Run(ctx) }()
}

// recorder takes tags down, by session.
type recorder struct {
	mu       sync.Mutex
	sessions [][]flv.Tag
	open_    bool
	refuse   error
	told     []Told
	came     []time.Time // when each tag came
}

func (r *recorder) open() (Sink, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse != nil {
		return nil, r.refuse
	}
	if r.open_ {
		return nil, errors.New("two sessions at a time")
	}
	r.sessions, r.open_ = append(r.sessions, nil), true
	return r, nil
}

func (r *recorder) Write(t flv.Tag) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.sessions) - 1
	r.sessions[last] = append(r.sessions[last], slices.Clone(t))
	r.came = append(r.came, time.Now())
	clear(t) // it may be changed
	return nil
}

func (r *recorder) tell(t Told) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, t)
}

// lastTold is what was told last.
func (r *recorder) lastTold() Told {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told[len(r.told)-1]
}

// all returns the tags of each session.
func (r *recorder) all() [][]flv.Tag {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.sessions)
}

func (r *recorder) Flush() {}

func (r *recorder) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open_ = false
}

// frames returns the pictures and sounds of all sessions, without configurations.
func (r *recorder) frames() (tags [][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.sessions {
		for _, t := range s {
			if t.Type() != flv.Script && !flv.Classify(t).Config {
				tags = append(tags, t)
			}
		}
	}
	return tags
}

func (r *recorder) count() int {
	return len(r.all())
}

const (
	avcConfig = "\x17\x00\x00\x00\x00\x01\x64\x00\x1e\xff\xe1\x00\x04\x67\x64\x00\x1e\x01\x00\x02\x68\xee"
	aacConfig = "\xaf\x00\x12\x10"
)

var (
	script = flv.NewTag(flv.Script, 0, []byte("\x02\x00\x0aonMetaData\x08\x00\x00\x00\x00\x00\x00\x09"))
	config = flv.NewTag(flv.Video, 0, []byte(avcConfig))
	sound  = flv.NewTag(flv.Audio, 0, []byte(aacConfig))
)

// headOf returns an FLV's header with these tags in it.
func headOf(tags ...flv.Tag) []byte {
	b := (&flv.Header{}).Payload()
	for _, t := range tags {
		b = append(b, t...)
	}
	return b
}

var head = headOf(script, config, sound)

// clip returns so many seconds of a stream of 25 pictures a second: key frames of 40 kB, one in a
// second, others of 3 kB, and sounds between.
func clip(seed uint64, from, seconds int) (tags [][]byte) {
	r := rand.New(rand.NewPCG(seed, uint64(from)))
	body := func(first byte, n int) []byte {
		b := make([]byte, n)
		for i := 0; i+8 <= n; i += 8 {
			binary.LittleEndian.PutUint64(b[i:], r.Uint64())
		}
		b[0], b[1] = first, 1
		return b
	}
	for i := from * 25; i < (from+seconds)*25; i++ {
		ts := uint32(i * 40)
		if i%25 == 0 {
			tags = append(tags, flv.NewTag(flv.Video, ts, body(0x17, 40_000)))
		} else {
			tags = append(tags, flv.NewTag(flv.Video, ts, body(0x27, 3000)))
		}
		tags = append(tags, flv.NewTag(flv.Audio, ts+3, body(0xaf, 200)))
	}
	return tags
}

// broadcast sends tags at their pace until ctx ends, or they do.
func broadcast(ctx context.Context, c *pcptest.Channel, tags [][]byte) {
	for i := 0; i < len(tags); i += 2 {
		c.Write(tags[i], tags[i+1])
		select {
		case <-time.After(40 * time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
}

var info = pcptest.Info{Name: "ゲーム", Genre: "game", Description: "first", Comment: "hello", Type: "FLV", Kbps: 700}

// expectRun wants got to be a run of tags of want, and returns where it begins.
func expectRun(t *testing.T, got, want [][]byte) int {
	t.Helper()
	if len(got) == 0 {
		t.Fatal("no tag came")
	}
	first := slices.IndexFunc(want, func(b []byte) bool { return bytes.Equal(b, got[0]) })
	if first < 0 {
		t.Fatalf("the first tag is none of those that were sent: %.40q", got[0])
	}
	for i, b := range got {
		if first+i >= len(want) || !bytes.Equal(b, want[first+i]) {
			t.Fatalf("tag %d of %d, after the one that was sent as %d: %s", i, len(got), first+i-1, where(want, b))
		}
	}
	return first
}

// where says which of the tags that were sent one is.
func where(sent [][]byte, b []byte) string {
	i := slices.IndexFunc(sent, func(s []byte) bool { return bytes.Equal(s, b) })
	return fmt.Sprintf("it was sent as %d (%d bytes)", i, len(b))
}
