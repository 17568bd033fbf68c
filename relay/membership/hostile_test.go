package membership

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/memberlist"

	"relay/relay/stream"
	"relay/tree"
)

// told is what memberlist hears of a node that signs well, and is at its address.
func told(m meta, key byte, ch stream.ChannelID) *memberlist.Node {
	b := m.sign(testKey(key), ch)
	signedMeta, _ := parseMeta(b)
	a := m.Place.Addrs[0]
	return &memberlist.Node{
		Name: signedMeta.Place.ID.String(), Addr: net.IP(a.Addr().AsSlice()), Port: a.Port(), Meta: b,
		PMin: 1, PMax: 5, PCur: 2,
	}
}

func TestMetadataIsCheckedBeforeItIsBelieved(t *testing.T) {
	ch := stream.ChannelID{9}
	other := told(someMeta(), 2, ch)
	for name, c := range map[string]struct {
		change func(n *memberlist.Node)
		ok     bool
	}{
		"nothing wrong":                     {func(*memberlist.Node) {}, true},
		"IPv4 as IPv6":                      {func(n *memberlist.Node) { n.Addr = n.Addr.To16() }, true},
		"another node's name":               {func(n *memberlist.Node) { n.Name = other.Name }, false},
		"another node's metadata":           {func(n *memberlist.Node) { n.Meta = other.Meta }, false},
		"a name that is no ID":              {func(n *memberlist.Node) { n.Name = "\x1b[2J" }, false},
		"an address that is not signed":     {func(n *memberlist.Node) { n.Addr = net.IP{198, 51, 100, 1} }, false},
		"a port that is not signed":         {func(n *memberlist.Node) { n.Port++ }, false},
		"an address that is not the first":  {func(n *memberlist.Node) { n.Addr = someMeta().Place.Addrs[1].Addr().AsSlice() }, false},
		"no address":                        {func(n *memberlist.Node) { n.Addr = nil }, false},
		"no metadata":                       {func(n *memberlist.Node) { n.Meta = nil }, false},
		"metadata changed":                  {func(n *memberlist.Node) { n.Meta[52] ^= 1 }, false},
		"a version that would end merges":   {func(n *memberlist.Node) { n.DMin, n.DMax = 200, 255 }, false},
		"a version that nobody else speaks": {func(n *memberlist.Node) { n.PCur = 5 }, false},
	} {
		v := newView(ch, "self", 10)
		n := told(someMeta(), 1, ch)
		c.change(n)
		v.reachedAt(n.Name, addrOf(n))
		if err := v.NotifyAlive(n); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOldMetadataIsRefused(t *testing.T) {
	ch := stream.ChannelID{9}
	v := newView(ch, "self", 10)
	e := v.begin()
	at := func(n uint64, depth uint16) *memberlist.Node {
		m := someMeta()
		m.told, m.Depth = n, depth
		return told(m, 1, ch)
	}
	for _, c := range []struct {
		node *memberlist.Node
		want error
	}{
		{at(5, 3), nil},
		{at(5, 3), nil}, // heard again
		{at(7, 1), nil},
		{at(5, 3), errReplay},
		{at(6, 2), errReplay},
		{at(7, 1), nil},
	} {
		v.reachedAt(c.node.Name, addrOf(c.node))
		err := v.NotifyAlive(c.node)
		if !errors.Is(err, c.want) {
			t.Fatalf("%v, want %v", err, c.want)
		}
		if err == nil {
			e.NotifyJoin(c.node)
		}
	}
	if ms := v.all(); len(ms) != 1 || ms[0].Depth != 1 {
		t.Errorf("the view holds %+v", ms)
	}
	e.NotifyLeave(at(7, 1))
	if err := v.NotifyAlive(at(8, 3)); !errors.Is(err, errUnreached) {
		t.Errorf("when it has left, and has not answered since: %v", err)
	}
	v.reachedAt(at(5, 3).Name, addrOf(at(5, 3)))
	if err := v.NotifyAlive(at(5, 3)); !errors.Is(err, errReplay) {
		t.Errorf("when it has left: %v", err)
	}
}

func TestMembersAndNewcomersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // whose clock stands still
		ch := stream.ChannelID{9}
		all := func(tree.ID, netip.Addr) bool { return true } // they need no shares of their one address
		v := newView(ch, "self", 20)
		v.exempt = all
		e := v.begin()
		taken := 0
		for key := range 100 {
			n := told(someMeta(), byte(key), ch)
			v.reachedAt(n.Name, addrOf(n))
			if err := v.NotifyAlive(n); err == nil {
				e.NotifyJoin(n)
				taken++
			} else if !errors.Is(err, errFull) {
				t.Fatal(err)
			}
		}
		if taken != 20 || len(v.all()) != 20 {
			t.Errorf("%d of 100 were taken, the view holds %d", taken, len(v.all()))
		}
		v = newView(ch, "self", 1<<20)
		v.exempt = all
		taken = 0
		node := told(someMeta(), 1, ch)
		v.reachedAt(node.Name, addrOf(node))
		for range 3 * newBurst { // one that comes and goes, as far as the view knows
			if v.NotifyAlive(node) == nil {
				taken++
			}
		}
		if taken != newBurst {
			t.Errorf("%d newcomers at once, want %d", taken, newBurst)
		}
		time.Sleep(10 * time.Second)
		for taken = 0; v.NotifyAlive(node) == nil; taken++ {
		}
		if taken != 10*newRate {
			t.Errorf("%d newcomers in 10 s more, want %d", taken, 10*newRate)
		}
	})
}

func TestLastWordsOfAnEarlierMemberlistAreIgnored(t *testing.T) {
	ch := stream.ChannelID{9}
	v := newView(ch, "self", 10)
	old, now := v.begin(), v.begin()
	n := told(someMeta(), 1, ch)
	old.NotifyJoin(n)
	if v.len() != 0 {
		t.Error("an earlier one adds members")
	}
	now.NotifyJoin(n)
	old.NotifyLeave(n)
	if v.len() != 1 || !v.hasIP(someMeta().Place.Addrs[0].Addr()) {
		t.Error("an earlier one takes members away")
	}
	now.NotifyLeave(n)
	if v.len() != 0 || v.hasIP(someMeta().Place.Addrs[0].Addr()) {
		t.Error("the member is still there")
	}
}

func TestRememberedMetadataIsBounded(t *testing.T) {
	v := newView(stream.ChannelID{}, "self", 10)
	for i := range 3 * maxTold {
		v.remember(string([]byte{byte(i), byte(i >> 8), byte(i >> 16)}), 1)
	}
	if len(v.told) != maxTold {
		t.Errorf("%d are remembered", len(v.told))
	}
}

// sink is a cluster that counts what it sends, and has begun.
func sink(t *testing.T) (c *Cluster, sent *[]netip.AddrPort) {
	sent = new([]netip.AddrPort)
	c = New(Config{
		Key: testKey(9), Channel: stream.ChannelID{9},
		Send: func(_ []byte, to netip.AddrPort) error { *sent = append(*sent, to); return nil },
	})
	tr := newTransport(t.Context(), c)
	t.Cleanup(tr.cancel)
	c.carrier = tr
	return c, sent
}

func TestAFloodFromStrangersIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := sink(t)
		b := message(msgPing, ping{1, ""})
		flood := func(from netip.AddrPort, n int) (got int) {
			for range n {
				c.Packet(b, from)
				select {
				case <-c.carrier.packets:
					got++
				default:
				}
			}
			return got
		}
		if got := flood(netip.MustParseAddrPort("203.0.113.1:1"), 10_000); got != strangerBurst {
			t.Errorf("%d of 10,000 packets come through, want %d", got, strangerBurst)
		}
		time.Sleep(time.Second)
		if got := flood(netip.MustParseAddrPort("203.0.113.2:1"), 10_000); got != strangerRate {
			t.Errorf("%d come through a second later, want %d", got, strangerRate)
		}
		n := told(someMeta(), 1, stream.ChannelID{9})
		c.view.begin().NotifyJoin(n)
		if got := flood(netip.AddrPortFrom(someMeta().Place.Addrs[0].Addr(), 1), 50); got != 50 {
			t.Errorf("%d of a member's 50 packets come through the flood", got)
		}
	})
}

func TestHostilePacketsDoNotReachMemberlist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := sink(t)
		from := netip.MustParseAddrPort("203.0.113.1:1")
		for _, b := range [][]byte{
			nil, compressed(1000), withCRC(compressed(1000)), compound(someAlive(), compressed(1000)),
			append(compound(someAlive()), make([]byte, MaxPacket)...),
			{244, 1, 'x', msgPing, 0x80},
		} {
			c.Packet(b, from)
		}
		if n := len(c.carrier.packets); n != 0 {
			t.Errorf("%d hostile packets came through", n)
		}
		c.Packet(compound(someAlive()), from)
		if n := len(c.carrier.packets); n != 1 {
			t.Errorf("%d of one honest packet came through", n)
		}
	})
}

func TestPacketsThatMemberlistDoesNotTakeAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := sink(t)
		for range 10 * packetQueue {
			c.carrier.packet([]byte{1}, netip.MustParseAddrPort("203.0.113.1:1"))
		}
		if n := len(c.carrier.packets); n != packetQueue {
			t.Errorf("%d packets wait", n)
		}
	})
}

func TestPacketsToNonMembersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, sent := sink(t)
		n := told(someMeta(), 1, stream.ChannelID{9})
		c.view.begin().NotifyJoin(n)
		ask := message(msgPing, ping{1, "node"})
		for range 1000 { // as an indirect ping may ask for
			_, _ = c.carrier.WriteTo(ask, "203.0.113.1:53")
		}
		if len(*sent) != 0 {
			t.Errorf("%d pings went to a stranger", len(*sent))
		}
		c.Packet(ask, netip.MustParseAddrPort("203.0.113.1:53"))
		ack := message(msgAck, struct{ SeqNo uint32 }{1})
		for range 1000 {
			_, _ = c.carrier.WriteTo(compound(ack, someAlive()), "203.0.113.1:53")
		}
		if n := len(ask) / len(ack); len(*sent) != n {
			t.Errorf("%d answers went to a stranger, want %d: no more bytes than came", len(*sent), n)
		}
		*sent = nil
		for range 100 {
			_, _ = c.carrier.WriteTo([]byte{1}, "[::ffff:192.0.2.1]:7144")
		}
		if len(*sent) != 100 || (*sent)[0] != someMeta().Place.Addrs[0] {
			t.Errorf("%d packets went to a member, want 100", len(*sent))
		}
		for _, addr := range []string{"", "?0102", "example.org:1", "1.2.3.4"} {
			if _, err := c.carrier.WriteTo([]byte{1}, addr); err == nil {
				t.Errorf("sent to %q", addr)
			}
		}
	})
}

func TestStreamsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := sink(t)
		var mine []net.Conn
		for range 3 * maxStreams {
			a, b := net.Pipe()
			mine = append(mine, a)
			c.Stream(b)
		}
		synctest.Wait()
		open := func() int {
			n := 0
			for _, a := range mine {
				_ = a.SetReadDeadline(time.Now().Add(time.Millisecond)) // fails on one that is closed
				if _, err := a.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
					n++
				}
			}
			return n
		}
		if n := open(); n != maxStreams {
			t.Errorf("%d streams are open, want %d", n, maxStreams)
		}
		time.Sleep(streamTime)
		synctest.Wait()
		if n := open(); n != 0 {
			t.Errorf("%d silent streams are open after %v", n, streamTime)
		}
		a, b := net.Pipe()
		c.Stream(b) // there is room again
		if _, err := a.Write(states(0, 0, 0)); err != nil {
			t.Error(err)
		}
		if got := <-c.carrier.streams; got == nil {
			t.Error("no stream came")
		} else {
			got.Close()
		}
		c.carrier.cancel()
		synctest.Wait()
	})
}

func TestLogLinesStayLines(t *testing.T) {
	var got []string
	w := printable{writer(func(b []byte) { got = append(got, string(b)) })}
	line := "name \x1b[2J\nERROR all is\u200b lost\r\u009b\u202e\n"
	if n, err := w.Write([]byte(line)); n != len(line) || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if want := []string{"name \ufffd[2J ERROR all is lost \ufffd\ufffd"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }

func TestAStreamMayComeAsTheMembershipEnds(t *testing.T) {
	c, _ := sink(t)
	tr := c.carrier
	var both sync.WaitGroup
	both.Go(func() {
		for range maxStreams {
			ours, theirs := net.Pipe()
			tr.stream(theirs)
			if _, err := ours.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("a stream that came late ends with %v, want %v", err, io.EOF)
			}
		}
	})
	both.Go(func() { _ = tr.Shutdown() }) // it never fails
	both.Wait()
	if n := len(tr.slots); n != 0 {
		t.Errorf("%d streams are still counted", n)
	}
}
