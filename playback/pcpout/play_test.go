package pcpout_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"relay/playback/api"
	"relay/playback/pcpout"
	"relay/relay/pcp"
	"relay/relay/pcp/pcptest"
	"relay/relay/refusal"
	"relay/relay/stream"
)

func TestAPeerGetsTheStreamAsItIs(t *testing.T) {
	s := start(t)
	s.group()
	c := dial(t, s.addr)
	o := c.join(s)
	if o.Session != ours || o.Version != 1218 || o.Remote.String() != "127.0.0.1" || o.Port != 0 {
		t.Errorf("%+v", o)
	}
	first := c.chunk()
	if first.ID != pcp.ChannelID(s.id) || first.Info == nil || first.Track == nil || first.Packet == nil {
		t.Fatalf("%+v", first)
	}
	want := pcp.Info{Name: "The title", Bitrate: first.Info.Bitrate, Genre: "Музыка", Description: "a test", Comment: "ようこそ", Type: "FLV", MIME: "video/x-flv", Extension: ".flv"}
	if *first.Info != want || *first.Track != (pcp.Track{Title: "The title"}) {
		t.Errorf("%+v, %+v", *first.Info, *first.Track)
	}
	if p := first.Packet; p.Kind != pcp.Head || p.Pos != 0 || !bytes.Equal(p.Data, s.ring.Header().Payload()) {
		t.Errorf("%+v", p)
	}
	s.frame(500)
	s.group()
	flow, packets := c.stream(len(s.flow(0)))
	if !bytes.Equal(flow, s.flow(0)) {
		t.Fatal("other bytes came than were sent")
	}
	for i, p := range packets {
		if p.Cont > pcp.Cont || i == 0 && p.Cont != 0 {
			t.Errorf("packet %d has cont %d", i, p.Cont)
		}
	}
}

// TestPacketsAreAsLongAsTheyMayBe has a look at the packets themselves: where they begin, and what may be in them.
func TestPacketsAreAsLongAsTheyMayBe(t *testing.T) {
	s := start(t)
	s.group()
	s.group()
	c := dial(t, s.addr)
	c.join(s)
	c.chunk()
	// The newest group: a keyframe of 40,016 bytes, and five times 3,015 and 215.
	flow, packets := c.stream(40_015 + 5*(3015+215))
	if !bytes.Equal(flow, s.flow(11)) {
		t.Fatal("other bytes came than were sent")
	}
	at := uint64(s.ring.Head().Seq-12) * stream.MaxChunk // of the keyframe, which has three chunks
	want := []pcp.Packet{
		{Pos: uint32(at), Cont: 0},
		{Pos: uint32(at) + 15360, Cont: 1},
		{Pos: uint32(at) + 30720, Cont: 1}, // the rest of 9,295 bytes, a picture and a sound
		{Pos: uint32(at) + 5*16384, Cont: 1},
	}
	if fmt.Sprint(packets) != fmt.Sprint(want) {
		t.Errorf("\n%v, want\n%v", packets, want)
	}
}

func TestWhatIsSaidOfTheChannelGoesToWhoHasIt(t *testing.T) {
	s := start(t)
	s.group()
	c := dial(t, s.addr)
	c.join(s)
	c.chunk()
	c.stream(len(s.flow(0)))
	s.mu.Lock()
	s.texts.Comment = "a break\x1b[2J"
	s.mu.Unlock()
	for {
		s.frame(10)
		ch := c.chunk()
		if ch.Info == nil {
			continue
		}
		if ch.Info.Comment != "a break\ufffd[2J" || ch.Track == nil || ch.Packet != nil {
			t.Errorf("%+v", ch)
		}
		break
	}
}

// TestAnotherTitleGoesToWhoHasTheChannel has the broadcaster give the channel another title: PeerCasts show the name, and
// players that they feed the title of the track.
func TestAnotherTitleGoesToWhoHasTheChannel(t *testing.T) {
	s := start(t)
	s.group()
	c := dial(t, s.addr)
	c.join(s)
	if first := c.chunk(); first.Info.Name != "The title" || first.Track.Title != "The title" {
		t.Errorf("%+v, %+v", first.Info, first.Track)
	}
	c.stream(len(s.flow(0)))
	s.header("one", "決勝\x1b[2J & more")
	for {
		s.frame(10)
		ch := c.chunk()
		if ch.Info == nil {
			continue // the head of the stream, in which the title is too, or data
		}
		if want := "決勝[2J & more"; ch.Info.Name != want || ch.Track == nil || ch.Track.Title != want || ch.Info.Genre != "Музыка" {
			t.Errorf("%+v, %+v", ch.Info, ch.Track)
		}
		break
	}
}

func TestAnotherHeaderBeginsAnew(t *testing.T) {
	s := start(t)
	s.group()
	c := dial(t, s.addr)
	c.join(s)
	c.chunk()
	c.stream(len(s.flow(0)))
	s.header("two", "The title")
	before := len(s.tags)
	s.group()
	ch := c.chunk()
	if ch.Packet == nil || ch.Packet.Kind != pcp.Head || ch.Packet.Pos != 0 || !bytes.Contains(ch.Packet.Data, []byte("two")) {
		t.Fatalf("%+v", ch)
	}
	if flow, packets := c.stream(len(s.flow(before))); !bytes.HasSuffix(flow, s.flow(before)) || packets[0].Cont != 0 {
		t.Errorf("%d bytes, want %d", len(flow), len(s.flow(before)))
	}
	s.begin() // the same header in another run, whose numbers begin anew
	s.header("two", "The title")
	s.group()
	for {
		if ch := c.chunk(); ch.Packet != nil && ch.Packet.Kind == pcp.Head {
			break
		}
	}
}

func TestAPeerGoesOnWhereItWas(t *testing.T) {
	s := start(t)
	s.group()
	s.group()
	head := s.ring.Head().Seq
	c := dial(t, s.addr)
	c.pos = int64(head-3) * stream.MaxChunk // the fourth from the end, of one tag each
	c.join(s)
	if ch := c.chunk(); ch.Packet == nil || ch.Packet.Kind != pcp.Head || ch.Info == nil {
		t.Fatalf("%+v", ch)
	}
	want := s.flow(len(s.tags) - 4)
	if flow, packets := c.stream(len(want)); !bytes.Equal(flow, want) || packets[0].Pos != uint32(c.pos) || packets[0].Cont != 1 {
		t.Errorf("%d bytes from %+v, want %d from %d", len(flow), packets[0], len(want), c.pos)
	}
	from := len(s.tags)
	s.group()
	if flow, _ := c.stream(len(s.flow(from))); !bytes.Equal(flow, s.flow(from)) {
		t.Error("what comes behind is another")
	}

	for name, pos := range map[string]int64{"before all": 1, "far ahead": 1 << 31} {
		c := dial(t, s.addr)
		c.pos, c.helo.Session = pos, pcp.NewID()
		c.join(s)
		c.chunk()
		if flow, packets := c.stream(len(s.flow(from))); !bytes.Equal(flow, s.flow(from)) || packets[0].Cont != 0 {
			t.Errorf("%s: %d bytes, want %d", name, len(flow), len(s.flow(from)))
		}
	}
}

func TestAPeerInTheMiddleOfAPictureGetsTheNextTag(t *testing.T) {
	s := start(t)
	s.group()
	c := dial(t, s.addr)
	c.pos = 1*stream.MaxChunk + 15360 // of the keyframe, whose rest it cannot be given
	c.join(s)
	c.chunk()
	if flow, _ := c.stream(len(s.flow(1))); !bytes.Equal(flow, s.flow(1)) {
		t.Errorf("%d bytes, want %d", len(flow), len(s.flow(1)))
	}
}

func TestTheEndIsSaid(t *testing.T) {
	t.Run("the source stops", func(t *testing.T) {
		s := start(t)
		s.group()
		c := dial(t, s.addr)
		c.join(s)
		c.chunk()
		c.stream(len(s.flow(0)))
		s.ring.Close()
		if why := c.quit(); why != pcp.QuitOffAir {
			t.Errorf("%s", why)
		}
	})
	t.Run("nothing has come for long", func(t *testing.T) {
		s := start(t)
		s.group()
		c := dial(t, s.addr)
		c.join(s)
		c.chunk()
		s.mu.Lock()
		s.facts = api.Facts{Closed: true}
		s.mu.Unlock()
		if why := c.quit(); why != pcp.QuitOffAir {
			t.Errorf("%s", why)
		}
	})
	t.Run("the same peer comes again", func(t *testing.T) {
		s := start(t)
		s.group()
		c, again := dial(t, s.addr), dial(t, s.addr)
		c.join(s)
		again.join(s)
		if why := c.quit(); why != pcp.QuitAlready {
			t.Errorf("%s", why)
		}
		again.chunk()
		again.stream(len(s.flow(0)))
	})
}

// noRoom has session 9 ask for the channel where there is no room, and returns the first that it is sent to.
func noRoom(t *testing.T, s *source) (*client, pcp.Host) {
	t.Helper()
	c := dial(t, s.addr)
	c.helo.Session = id(9)
	if a := c.ask(pcp.ChannelID(s.id)); a.Status != 503 || !a.PCP {
		t.Fatalf("%+v", a)
	}
	c.meet()
	if a := c.next(); a.Name != pcp.NameOK {
		t.Fatalf("%s", a.Name)
	}
	h, err := pcp.ParseHost(c.next())
	if err != nil {
		t.Fatal(err)
	}
	return c, h
}

func TestNoRoomNamesThoseWhoHaveSome(t *testing.T) {
	s := start(t, func(c *pcpout.Config) { c.Most = 3 })
	s.group()
	ch := pcp.ChannelID(s.id)
	free, busy, hidden := dial(t, s.addr), dial(t, s.addr), dial(t, s.addr)
	port := answering(t, id(1))
	free.helo.Session, free.helo.Ping = id(1), port
	busy.helo.Session, busy.helo.Ping = id(2), answering(t, id(2))
	hidden.helo.Session = id(3)
	for _, c := range []*client{free, busy, hidden} {
		if o := c.join(s); o.Port != c.helo.Ping {
			t.Errorf("port %d, want %d", o.Port, c.helo.Ping)
		}
	}
	free.send(receiving(ch, id(1), pcp.Receiving|pcp.RelayFree).Append(nil))
	busy.send(receiving(ch, id(2), pcp.Receiving).Append(nil))
	hidden.send(receiving(ch, id(3), pcp.Receiving|pcp.RelayFree).Append(nil))
	hidden.send(receiving(ch, id(4), pcp.Receiving|pcp.RelayFree).Append(nil)) // of one that is behind it
	s.until("all have told", func() bool { return s.server.Counts(s.id) == api.PeerCast{Connected: 3, Behind: 1, Listeners: 8} })

	c, h := noRoom(t, s)
	if h.Session != id(1) || h.Channel != ch || h.Global.String() != fmt.Sprintf("127.0.0.1:%d", port) || h.Flags != pcp.Receiving|pcp.RelayFree {
		t.Errorf("%+v", h)
	}
	if why := c.quit(); why != pcp.QuitUnavailable {
		t.Errorf("%s", why)
	}
	s.refused(pcpout.RefusedFull, 1)

	free.conn.Close()
	s.until("one has left", func() bool { return s.server.Counts(s.id).Connected == 2 })
	c = dial(t, s.addr)
	c.helo.Session = id(9)
	c.join(s)
}

func TestAPortIsTried(t *testing.T) {
	s := start(t)
	t.Run("and answers", func(t *testing.T) {
		c := dial(t, s.addr)
		c.send(pcp.AppendConnect(nil, pcp.Over4))
		c.helo.Ping = answering(t, theirs)
		if o := c.meet(); o.Port != c.helo.Ping || o.Session != ours {
			t.Errorf("%+v", o)
		}
		if why := c.quit(); why != pcp.QuitOffAir {
			t.Errorf("%s", why)
		}
	})
	t.Run("and is another's", func(t *testing.T) {
		c := dial(t, s.addr)
		c.send(pcp.AppendConnect(nil, pcp.Over4))
		c.helo.Ping = answering(t, id(5))
		if o := c.meet(); o.Port != 0 {
			t.Errorf("%+v", o)
		}
	})
	t.Run("and is shut", func(t *testing.T) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c := dial(t, s.addr)
		c.send(pcp.AppendConnect(nil, pcp.Over4))
		c.helo.Ping = ln.Addr().(*net.TCPAddr).AddrPort().Port()
		ln.Close()
		if o := c.meet(); o.Port != 0 {
			t.Errorf("%+v", o)
		}
	})
	t.Run("too often", func(t *testing.T) {
		port := answering(t, theirs)
		s.until("refused", func() bool {
			c := dial(t, s.addr)
			c.send(pcp.AppendConnect(nil, pcp.Over4))
			c.helo.Ping = port
			return c.meet().Port == 0 && s.server.Refused()[pcpout.RefusedPort] > 0
		})
	})
}

func TestAClosedPortAnswersWhoeverTriesIt(t *testing.T) {
	s := start(t)
	c := dial(t, s.addr)
	c.send(pcp.AppendConnect(nil, pcp.Over6))
	c.helo.Port = 7144
	if o := c.meet(); o.Session != ours || o.Port != 7144 {
		t.Errorf("%+v", o)
	}
	if why := c.quit(); why != pcp.QuitOffAir {
		t.Errorf("%s", why)
	}
}

// TestWhoTriesAPortNeedNotSayAVersion has peercast-yt's own test, which says its session and nothing else; who wants a channel
// does say one.
func TestWhoTriesAPortNeedNotSayAVersion(t *testing.T) {
	s := start(t)
	s.group()
	helo := pcptest.Of("helo", pcptest.Raw("sid", theirs[:])).Bytes()
	c := dial(t, s.addr)
	c.send(append(pcptest.Int("pcp\n", 1).Bytes(), helo...))
	if o, err := pcp.ParseOleh(c.next()); err != nil || o.Session != ours || o.Port != 0 {
		t.Errorf("%+v, %v", o, err)
	}
	if why := c.quit(); why != pcp.QuitOffAir {
		t.Errorf("%s", why)
	}
	c = dial(t, s.addr)
	c.ask(pcp.ChannelID(s.id))
	c.send(helo)
	if why := c.quit(); why != pcp.QuitBadAgent {
		t.Errorf("%s", why)
	}
	s.refused(pcpout.RefusedVersion, 1)
}

func TestWhoIsNotServedIsToldWhy(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*client)
		why    pcp.Quit
		count  refusal.Reason
	}{
		"this node itself": {func(c *client) { c.helo.Session = ours }, pcp.QuitLoopback, "loop"},
		"too old":          {func(c *client) { c.helo.Version = 1199 }, pcp.QuitBadAgent, "version"},
		"no session":       {func(c *client) { c.helo.Session = pcp.ID{} }, pcp.QuitBadResponse, "pcp_missing"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.group()
			p := dial(t, s.addr)
			c.change(p)
			p.ask(pcp.ChannelID(s.id))
			p.send(p.helo.Append(nil))
			if why := p.quit(); why != c.why {
				t.Errorf("%s", why)
			}
			p.conn.Close()
			s.refused(c.count, 1)
		})
	}
}

func TestPlayersGetAPlaylistAndTheMedia(t *testing.T) {
	s := start(t)
	s.group()
	hex := pcp.ChannelID(s.id).String()
	get := func(path string) string {
		c := dial(t, s.addr)
		c.send([]byte("GET " + path + " HTTP/1.0\r\nHost: relay.example:7144\r\n\r\n"))
		b := make([]byte, 300)
		for n := 0; ; {
			m, err := c.r.Read(b[n:])
			if n += m; err != nil || n == len(b) {
				return string(b[:n])
			}
		}
	}
	if got := get("/pls/" + hex + ".pls?tip=203.0.113.1:7144"); !strings.HasSuffix(got, "\r\n\r\n#EXTM3U\nhttp://relay.example:7144/stream/"+hex+".flv\n") {
		t.Errorf("%q", got)
	}
	if got := get("/stream/" + strings.ToLower(hex) + ".flv"); !strings.HasPrefix(got, "HTTP/1.0 200 OK\r\nContent-Type: video/x-flv\r\n") || !strings.Contains(got, "\r\n\r\nFLV\x01") {
		t.Errorf("%q", got)
	}
	for _, path := range []string{"/", "/pls/", "/pls/" + strings.Repeat("AB", 16), "/admin?cmd=shutdown", "/channel/" + hex} {
		if got := get(path); !strings.HasPrefix(got, "HTTP/1.0 404 ") {
			t.Errorf("%s: %q", path, got)
		}
	}
}

func TestHostsAreCountedWithinBounds(t *testing.T) {
	s := start(t)
	s.group()
	ch := pcp.ChannelID(s.id)
	c := dial(t, s.addr)
	c.join(s)
	for i := range 140 {
		n := id(byte(i))
		n[0] = 1
		m := receiving(ch, n, pcp.Receiving)
		m.Host.Listeners = 1 << 30
		c.send(m.Append(nil))
	}
	s.refused(pcpout.RefusedHosts, 12)
	if n := s.server.Counts(s.id); n != (api.PeerCast{Connected: 1, Behind: 128, Listeners: 128 * 10_000}) {
		t.Errorf("%+v", n)
	}
	m := receiving(ch, id(0), 0) // it does not receive any more
	m.Host.Session = func() (v pcp.ID) { v = id(5); v[0] = 1; return v }()
	c.send(m.Append(nil))
	s.until("one less", func() bool { return s.server.Counts(s.id).Behind == 127 })
	c.send(receiving(id(3), id(4), pcp.Receiving).Append(nil)) // another channel
	c.send(receiving(ch, ours, pcp.Receiving).Append(nil))
	s.refused(pcpout.RefusedHosts, 14)
	c.send(pcp.AppendQuit(nil, pcp.QuitOffAir))
	s.until("all have gone", func() bool { return s.server.Counts(s.id) == api.PeerCast{} })
}

// TestAPeerThatTakesNothingCostsOthersNothing has one that never reads beside one that does.
func TestAPeerThatTakesNothingCostsOthersNothing(t *testing.T) {
	s := start(t)
	s.group()
	deaf, c := dial(t, s.addr), dial(t, s.addr)
	deaf.helo.Session = id(8)
	deaf.conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	deaf.join(s)
	c.join(s)
	c.chunk()
	from := 0
	began := time.Now()
	for range 20 { // 1.1 MB, more than buffers hold
		c.stream(len(s.flow(from)))
		from = len(s.tags)
		s.group()
	}
	if d := time.Since(began); d > 15*time.Second {
		t.Errorf("took %v", d)
	}
}

// TestNoRoomNamesNodesThatServePeerCast has nodes below that do, that do not, that say nothing, and that are the asker or this node itself.
func TestNoRoomNamesNodesThatServePeerCast(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	shut, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	shut.Close()
	here := func(port uint16) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
	}
	at := func(ln net.Listener) netip.AddrPort { return ln.Addr().(*net.TCPAddr).AddrPort() }
	serves := here(answering(t, id(7)))
	nodes := []netip.AddrPort{at(silent), at(shut), here(answering(t, id(9))), here(answering(t, ours)), here(80), serves}
	var dialled sync.Map
	s := start(t, func(c *pcpout.Config) {
		c.Most = -1
		c.Nodes = func(stream.ChannelID) []netip.AddrPort { return nodes }
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			n, _ := dialled.LoadOrStore(addr, new(atomic.Int64))
			n.(*atomic.Int64).Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		}
	})
	s.group()
	for range 3 {
		c, h := noRoom(t, s)
		if h.Session != id(7) || h.Channel != pcp.ChannelID(s.id) || h.Global != serves || h.Flags != pcp.Receiving|pcp.RelayFree {
			t.Errorf("%+v", h)
		}
		if why := c.quit(); why != pcp.QuitUnavailable {
			t.Errorf("%s", why)
		}
	}
	for _, n := range nodes {
		want := int64(1)
		if n.Port() == 80 {
			want = 0 // no node has such a port
		}
		got := int64(0)
		if n, ok := dialled.Load(n.String()); ok {
			got = n.(*atomic.Int64).Load()
		}
		if got != want {
			t.Errorf("%v was dialled %d times, not %d", n, got, want)
		}
	}
}
