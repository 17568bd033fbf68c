package relay

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/membership"
	"relay/relay/wire"
)

// stranger is a machine in the world that runs no node.
type stranger struct {
	w  *world
	id identity
	netip.AddrPort
}

func (w *world) stranger() *stranger {
	id, err := newIdentity(w.key())
	if err != nil {
		w.t.Fatal(err)
	}
	return &stranger{w, id, netip.MustParseAddrPort("10.7.7.7:53")}
}

// call opens a connection to the source, for a protocol.
func (s *stranger) call(t *testing.T, protocols ...string) (*tls.Conn, error) {
	t.Helper()
	conn, err := s.w.net.Host(s.Addr()).Dial(t.Context(), "tcp", s.w.root.place.Addrs[0].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	cfg := s.id.tlsConfig(protocols...)
	cfg.VerifyConnection = nil
	c := tls.Client(conn, cfg)
	return c, c.Handshake()
}

// endsAfter reads until the other side closes, and returns how long that took.
func endsAfter(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	begin := time.Now()
	if err := c.SetReadDeadline(begin.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the connection stays open")
	}
	return time.Since(begin)
}

func TestStrangersOnStreamsOfGossip(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.crowd(4, 3)
		s := w.stranger()
		label := membership.LabelOf(w.root.ID())
		other := membership.LabelOf(w.all[1].ID())
		other[0] ^= 1
		for name, c := range map[string]struct {
			say  []byte
			most time.Duration
		}{
			"says nothing":            {nil, handshakeTime},
			"half a label":            {label[:7], handshakeTime},
			"another channel":         {other[:], time.Second},
			"the label alone":         {label[:], 6 * time.Second},
			"a compressed message":    {append(label[:], 9, 0x82), time.Second},
			"an encrypted message":    {append(label[:], 10, 0xff, 0xff, 0xff, 0xff), time.Second},
			"4 GiB of user message":   {append(label[:], 8, 0x81, 0xaa, 'U', 's', 'e', 'r', 'M', 's', 'g', 'L', 'e', 'n', 0xce, 0xff, 0xff, 0xff, 0xff), time.Second},
			"a million nodes":         {append(label[:], 6, 0x81, 0xa5, 'N', 'o', 'd', 'e', 's', 0xce, 0, 0x10, 0, 0), time.Second},
			"a hello, which is links": {wire.Append(nil, wire.Hello{Channel: w.root.ID()}), time.Second},
		} {
			conn, err := s.call(t, alpnGossip)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write(c.say); err != nil {
				t.Fatal(err)
			}
			if took := endsAfter(t, conn); took > c.most+time.Second/2 {
				t.Errorf("%s: closed after %v", name, took)
			}
		}
		conn, err := s.call(t, alpn)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(append(label[:], 0)); err != nil {
			t.Fatal(err)
		}
		endsAfter(t, conn)
		for _, protocols := range [][]string{nil, {"h2"}, {"relay-gossip/2"}} {
			if conn, err := s.call(t, protocols...); err == nil {
				if took := endsAfter(t, conn); took > time.Second {
					t.Errorf("protocols %v: closed after %v", protocols, took)
				}
			}
		}
		w.within(time.Second, "all are attached", w.attached)
		w.wantWhole()
	})
}

// A flood of packets that each ask for an answer, with the address of somebody else.
func TestAFloodOfPacketsIsNeitherServedNorPassedOn(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.crowd(4, 3)
		w.within(3*time.Minute, "all are members", func(n *inhabitant) bool { return n.peers.gossip.Len() == 5 })
		s := w.stranger()
		attacker, err := w.net.Host(s.Addr()).ListenPacket(s.Port())
		if err != nil {
			t.Fatal(err)
		}
		defer attacker.Close()
		victim, err := w.net.Host(netip.MustParseAddr("10.8.8.8")).ListenPacket(9)
		if err != nil {
			t.Fatal(err)
		}
		defer victim.Close()
		label := membership.LabelOf(w.root.ID())
		ping := append(label[:], 0, 0x83,
			0xa5, 'S', 'e', 'q', 'N', 'o', 1,
			0xaa, 'S', 'o', 'u', 'r', 'c', 'e', 'A', 'd', 'd', 'r', 0xa4, 10, 8, 8, 8,
			0xaa, 'S', 'o', 'u', 'r', 'c', 'e', 'P', 'o', 'r', 't', 9)
		to := net.UDPAddrFromAddrPort(w.root.place.Addrs[0])
		for range 100 { // 10 s of 500 a second
			for range 50 {
				if _, err := attacker.WriteTo(ping, to); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		got := 0
		for b := make([]byte, 2000); ; got++ {
			if err := victim.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			if _, _, err := victim.ReadFrom(b); err != nil {
				break
			}
		}
		t.Logf("%d packets of 5,000 made the source send one elsewhere", got)
		if got != 0 {
			t.Errorf("the victim got %d packets", got)
		}
		refused := w.root.node.Refused()["gossip"]
		if refused["amplified"] == 0 || refused["too_often"] == 0 {
			t.Errorf("refused: %v", refused)
		}
		w.within(time.Second, "all are members", func(n *inhabitant) bool { return n.peers.gossip.Len() == 5 })
		w.wantWhole()
	})
}
