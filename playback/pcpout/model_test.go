package pcpout_test

import (
	"bytes"
	"context"
	"flag"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"relay/ingest/flv"
	"relay/playback/pcpout"
	"relay/relay/pcp"
	"relay/relay/pcp/pcptest"
)

var update = flag.Bool("update", false, "write the conversations in testdata anew")

var kinds = []pcptest.Kind{pcptest.YT, pcptest.Station}

// model is a model of PeerCast that pulls the source's channel, and serves it if it has slots.
func (s *source) model(kind pcptest.Kind, session byte, slots int, tape *pcptest.Tape) *pcptest.Peer {
	s.t.Helper()
	p := pcptest.New(kind, session, netip.AddrPort{}, slots)
	p.Log = s.t.Logf
	if tape != nil {
		dial := p.Dial
		p.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err == nil && addr == s.addr {
				conn = tape.Of(conn)
			}
			return conn, err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	if slots > 0 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.t.Fatal(err)
		}
		p.At, p.Ping = ln.Addr().(*net.TCPAddr).AddrPort(), true
		all.Go(func() { p.Serve(ctx, ln) })
	}
	all.Go(func() { p.Pull(ctx, s.channel(), s.addr) })
	s.t.Cleanup(func() { cancel(); all.Wait() })
	return p
}

func (s *source) channel() pcptest.ID { return pcptest.ID(pcp.ChannelID(s.id)) }

// gets waits until a model has the channel's header, and what was sent from one tag on.
func (s *source) gets(p *pcptest.Peer, from int) {
	s.t.Helper()
	s.until("a model has it all", func() bool {
		c := p.Channel(s.channel())
		return c != nil && bytes.HasSuffix(c.Got(), s.flow(from))
	})
	want := append(bytes.Clone(s.ring.Header().Payload()), s.flow(from)...)
	if got := p.Channel(s.channel()).Got(); !bytes.Equal(got, want) {
		s.t.Errorf("%d bytes came, want %d", len(got), len(want))
	}
}

func TestPeerCastsOfBothKindsGetTheStream(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.String(), func(t *testing.T) {
			s := start(t)
			s.group()
			var tape pcptest.Tape
			p := s.model(k, 0xd1, 0, &tape)
			s.gets(p, 0)
			if c := p.Channel(s.channel()); c.Told().Name != "The title" || c.Told().Genre != "Музыка" || c.Told().Type != "FLV" {
				t.Errorf("told %+v", c.Told())
			}
			s.until("it is counted", func() bool { return s.server.Counts(s.id).Listeners == 1 })
			said := tape.Text(pcptest.How{Packets: 1, Stop: true, Masked: []string{"bitr", "uppt"}})
			golden(t, "pull-"+k.String(), said)
			s.group()
			s.gets(p, 0)
		})
	}
}

func TestAPeerCastForWhomThereIsNoRoomGoesToAnother(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.String(), func(t *testing.T) {
			s := start(t, func(c *pcpout.Config) { c.Most = 1 })
			s.group()
			one := s.model(k, 0xd1, 1, nil)
			s.gets(one, 0)
			s.until("it is counted", func() bool { return s.server.Counts(s.id).Listeners == 1 })
			var tape pcptest.Tape
			other := s.model(k, 0xd2, 0, &tape)
			s.gets(other, 0)
			said := tape.Text(pcptest.How{Packets: 1, Stop: true, Masked: []string{"uppt", "port"}})
			golden(t, "full-"+k.String(), said)
			if n := one.Channel(s.channel()).Children(); len(n) != 1 {
				t.Errorf("%d pull from the one that was named", len(n))
			}
		})
	}
}

// TestAPeerCastComesOverLoopbackOfIPv6 has a model pull over [::1], where its own port is tried too, and ours by it.
func TestAPeerCastComesOverLoopbackOfIPv6(t *testing.T) {
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6: ", err)
	}
	s := newSource(t)
	s.listen("[::1]:0")
	s.group()
	p := pcptest.New(pcptest.YT, 0xd1, ln.Addr().(*net.TCPAddr).AddrPort(), 1)
	p.Ping = true
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	all.Go(func() { p.Serve(ctx, ln) })
	all.Go(func() { p.Pull(ctx, s.channel(), s.addr) })
	s.gets(p, 0)
	if o := p.Olehs(); len(o) != 1 || !bytes.Contains(o[0].Bytes(), pcptest.Short("port", p.At.Port()).Bytes()) || !bytes.Contains(o[0].Bytes(), pcptest.IP("rip", netip.IPv6Loopback()).Bytes()) {
		t.Errorf("it is told %v", o)
	}
	if !p.Test(ctx, netip.MustParseAddrPort(s.addr), pcptest.ID(ours)) {
		t.Error("our port does not answer")
	}
}

// TestALongHeadFitsAPeerCast has as much in front of a stream as peercast-yt has room for, in one atom with all that
// is said of the channel.
func TestALongHeadFitsAPeerCast(t *testing.T) {
	for _, n := range []int{14_000, 15_800, 16_100, 17_000} {
		s := start(t)
		s.texts.Description, s.texts.Comment = strings.Repeat("a", 250), strings.Repeat("b", 250)
		var h flv.Header
		script := flv.NewTag(flv.Script, 0, append(metadata("The title"), make([]byte, n)...))
		for _, tag := range []flv.Tag{script, flv.NewTag(flv.Video, 0, []byte{0x17, 0, 0, 0, 0, 1})} {
			h.Add(tag, flv.Classify(tag))
		}
		if err := s.writer.SetHeader(h.Payload()); err != nil {
			t.Fatal(err)
		}
		s.group()
		p := s.model(pcptest.YT, 0xd1, 0, nil)
		s.until("a model has it all", func() bool {
			c := p.Channel(s.channel())
			return c != nil && bytes.HasSuffix(c.Got(), s.flow(0))
		})
	}
}

// golden compares a conversation with the one that is kept.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is another conversation now (-update writes it):\n%s", path, got)
	}
}
