package pcpout_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/playback"
	"relay/playback/api"
	"relay/playback/pcpout"
	"relay/relay/pcp"
	"relay/relay/refusal"
	"relay/relay/stream"
)

// source is a broadcaster and the node that serves it.
type source struct {
	t      testing.TB
	id     stream.ChannelID
	key    ed25519.PrivateKey
	ring   *stream.Ring
	writer *stream.Writer
	shown  *playback.Channel
	server *pcpout.Server
	addr   string // of the server
	tags   []flv.Tag

	mu    sync.Mutex
	facts api.Facts
	texts pcp.Info
}

var (
	ours   = id(0xee) // session of the server
	theirs = id(0xdd)
)

func id(b byte) (v pcp.ID) {
	for i := range v {
		v[i] = b
	}
	return v
}

// newSource returns a channel and its server, which does not run yet. change may change how.
func newSource(t testing.TB, change ...func(*pcpout.Config)) *source {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	s := &source{t: t, id: stream.IDOf(key), key: key, ring: stream.NewRing(stream.Limits{})}
	s.facts = api.Facts{Attached: true, Begun: true, Came: time.Now()}
	s.texts = pcp.Info{Genre: "Музыка", Description: "a test", Comment: "ようこそ"}
	s.begin()
	s.header("one", "The title")
	s.shown = playback.NewChannel(s.id, s.ring, func() api.Facts {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.facts
	})
	channels := func() []*playback.Channel { return []*playback.Channel{s.shown} }
	cfg := pcpout.Config{
		Players: playback.NewServer(playback.Config{Channels: channels}), Channels: channels, Session: ours, Agent: "relay/test",
		Texts: func(stream.ChannelID) pcp.Info {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.texts
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	s.server = pcpout.New(cfg)
	return s
}

// start runs a server of a channel for the test. change may change how.
func start(t testing.TB, change ...func(*pcpout.Config)) *source {
	t.Helper()
	s := newSource(t, change...)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.server.Run(ctx) })
	wg.Go(func() {
		if err := s.server.Serve(ctx, ln); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return s
}

// begin begins another epoch.
func (s *source) begin() {
	var before stream.Epoch
	if s.writer != nil {
		before = s.writer.Epoch()
	}
	now := time.Now()
	s.writer = stream.NewWriter(s.ring, s.key, stream.NextEpoch(before, now, 1), now)
}

// header sets one whose video configuration holds name.
func (s *source) header(name, title string) {
	s.t.Helper()
	var h flv.Header
	script := flv.NewTag(flv.Script, 0, metadata(title))
	for _, tag := range []flv.Tag{script, flv.NewTag(flv.Video, 0, append([]byte{0x17, 0, 0, 0, 0}, name...)), flv.NewTag(flv.Audio, 0, []byte{0xaf, 0, 0x12, 0x10})} {
		h.Add(tag, flv.Classify(tag))
	}
	if err := s.writer.SetHeader(h.Payload()); err != nil {
		s.t.Fatal(err)
	}
}

// metadata is onMetaData in AMF0 with a title.
func metadata(title string) []byte {
	text := func(b []byte, s string) []byte {
		return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
	}
	b := text([]byte{2}, "onMetaData")
	b = append(b, 8, 0, 0, 0, 1)
	b = text(b, "title")
	b = text(append(b, 2), title)
	return append(b, 0, 0, 9)
}

// tag writes a tag of n bytes of body, which differ from tag to tag.
func (s *source) tag(typ flv.Type, first byte, n int, f stream.TagFlags) flv.Tag {
	s.t.Helper()
	body := []byte{first, 1, 0, 0, 0}
	for len(body) < n {
		body = append(body, byte(len(s.tags)), byte(len(body)))
	}
	tag := flv.NewTag(typ, uint32(20*len(s.tags)), body[:n])
	s.tags = append(s.tags, tag)
	if err := s.writer.WriteTag(tag, f); err != nil {
		s.t.Fatal(err)
	}
	return tag
}

func (s *source) key1(n int)  { s.tag(flv.Video, 0x17, n, stream.StartHere|stream.EndsChunk) }
func (s *source) frame(n int) { s.tag(flv.Video, 0x27, n, stream.EndsChunk) }
func (s *source) sound(n int) { s.tag(flv.Audio, 0xaf, n, stream.EndsChunk) }

// group writes a keyframe that is longer than a packet and what comes behind it.
func (s *source) group() {
	s.key1(40_000)
	for range 5 {
		s.frame(3000)
		s.sound(200)
	}
}

// flow returns the tags from one on, as FLV.
func (s *source) flow(from int) (b []byte) {
	for _, t := range s.tags[from:] {
		b = append(b, t...)
	}
	return b
}

// refused waits until so many were turned away for a reason.
func (s *source) refused(why refusal.Reason, n uint64) {
	s.t.Helper()
	s.until("refused for "+string(why), func() bool { return s.server.Refused()[why] >= n })
	if got := s.server.Refused()[why]; got != n {
		s.t.Errorf("%d are refused for %s, want %d", got, why, n)
	}
}

// until waits until something is so.
func (s *source) until(what string, so func() bool) {
	s.t.Helper()
	for began := time.Now(); !so(); {
		if time.Since(began) > time.Minute {
			s.t.Fatalf("not within a minute: %s; refused: %v", what, s.server.Refused())
		}
		time.Sleep(time.Millisecond)
	}
}

// client is a PeerCast.
type client struct {
	t     testing.TB
	conn  net.Conn
	r     *bufio.Reader
	atoms *pcp.Reader
	pos   int64 // of x-peercast-pos; -1 for none
	helo  pcp.Helo
}

func dial(t testing.TB, addr string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return clientOn(t, conn)
}

func clientOn(t testing.TB, conn net.Conn) *client {
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	r := bufio.NewReaderSize(conn, 1<<15)
	return &client{t: t, conn: conn, r: r, atoms: pcp.NewReader(r), pos: -1, helo: pcp.Helo{Agent: "PeerCast/0.1218", Version: 1218, Session: theirs}}
}

func (c *client) send(b []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// ask asks for a channel and returns the answer.
func (c *client) ask(ch pcp.ID) pcp.Answer {
	c.t.Helper()
	r := pcp.Request{Channel: ch, Over: pcp.Over4, Agent: "PeerCast/0.1218"}
	if c.pos >= 0 {
		r.Pos, r.HasPos = uint32(c.pos), true
	}
	c.send(r.Append(nil, c.conn.RemoteAddr().String()))
	b, err := pcp.ReadLines(c.r)
	if err != nil {
		c.t.Fatal(err)
	}
	a, err := pcp.ParseAnswer(b)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

func (c *client) next() pcp.Atom {
	c.t.Helper()
	a, err := c.atoms.Next()
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

// meet says helo and returns the oleh.
func (c *client) meet() pcp.Oleh {
	c.t.Helper()
	c.send(c.helo.Append(nil))
	o, err := pcp.ParseOleh(c.next())
	if err != nil {
		c.t.Fatal(err)
	}
	return o
}

// join asks for the source's channel and gets so far that the stream comes.
func (c *client) join(s *source) pcp.Oleh {
	c.t.Helper()
	if a := c.ask(pcp.ChannelID(s.id)); a.Status != 200 || !a.PCP {
		c.t.Fatalf("%+v", a)
	}
	o := c.meet()
	if a := c.next(); a.Name != pcp.NameOK {
		c.t.Fatalf("%s in place of ok", a.Name)
	}
	return o
}

// chunk returns the next chan.
func (c *client) chunk() pcp.Chan {
	c.t.Helper()
	ch, err := pcp.ParseChan(c.next())
	if err != nil {
		c.t.Fatal(err)
	}
	return ch
}

// stream reads packets until it has n bytes of data, and returns them with the packets.
func (c *client) stream(n int) (flow []byte, packets []pcp.Packet) {
	c.t.Helper()
	for len(flow) < n {
		ch := c.chunk()
		if ch.Packet == nil {
			continue // the bit rate is another
		}
		if ch.Packet.Kind != pcp.Data {
			c.t.Fatalf("%+v in place of data, after %d bytes", ch, len(flow))
		}
		flow = append(flow, ch.Packet.Data...)
		packets = append(packets, *ch.Packet)
		packets[len(packets)-1].Data = nil
	}
	return flow, packets
}

// quit reads until the connection ends, and returns the last words.
func (c *client) quit() (why pcp.Quit) {
	c.t.Helper()
	for {
		a, err := c.atoms.Next()
		if err == io.EOF {
			return why
		}
		if err != nil {
			c.t.Fatal(err)
		}
		if a.Name == pcp.NameQuit {
			if why, err = pcp.ParseQuit(a); err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

// receiving is what a peer says of itself that serves others at a port.
func receiving(ch, session pcp.ID, flags byte) pcp.Bcst {
	return pcp.Bcst{Group: pcp.ToTrackers, TTL: 11, From: session, Channel: ch, Version: 1218, Host: &pcp.Host{
		Channel: ch, Session: session, Global: netip.MustParseAddrPort("203.0.113.200:7144"), Listeners: 2, Relays: 1, Version: 1218, Flags: flags,
	}}
}

// answering is a PeerCast whose port answers, as that of a session.
func answering(t testing.TB, session pcp.ID) uint16 {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { ln.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			r := pcp.NewReader(conn)
			if a, err := r.Next(); err == nil && a.Name == pcp.NameConnect {
				if a, err = r.Next(); err == nil && a.Name == pcp.NameHelo {
					conn.Write(pcp.Oleh{Agent: "PeerCast", Session: session, Version: 1218, Remote: netip.MustParseAddr("127.0.0.1")}.Append(nil))
					r.Next()
				}
			}
			conn.Close()
		}
	}()
	return ln.Addr().(*net.TCPAddr).AddrPort().Port()
}
