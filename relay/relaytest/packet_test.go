package relaytest_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/relaytest"
)

// sockets is two hosts with a socket each.
func sockets(t *testing.T) (n *relaytest.Network, a, b *relaytest.Host, pa, pb *relaytest.PacketConn) {
	t.Helper()
	n = relaytest.New(delay)
	a, b = n.Host(netip.MustParseAddr("10.0.0.1")), n.Host(netip.MustParseAddr("10.0.0.2"))
	var err error
	if pa, err = a.ListenPacket(7144); err != nil {
		t.Fatal(err)
	}
	if pb, err = b.ListenPacket(7144); err != nil {
		t.Fatal(err)
	}
	return n, a, b, pa, pb
}

func send(t *testing.T, from, to *relaytest.PacketConn, what string) {
	t.Helper()
	if _, err := from.WriteTo([]byte(what), to.LocalAddr()); err != nil {
		t.Fatal(err)
	}
}

// receive returns what has come within d, "" if nothing did.
func receive(t *testing.T, p *relaytest.PacketConn, d time.Duration) string {
	t.Helper()
	if err := p.SetReadDeadline(time.Now().Add(d)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, _, err := p.ReadFrom(b)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestAPacketArrivesWholeAfterTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, _, pa, pb := sockets(t)
		begin := time.Now()
		send(t, pa, pb, "one")
		send(t, pa, pb, "two")
		b := make([]byte, 100)
		n, from, err := pb.ReadFrom(b)
		if string(b[:n]) != "one" || err != nil || from.String() != pa.LocalAddr().String() || time.Since(begin) != delay {
			t.Errorf("%q from %v, %v after %v", b[:n], from, err, time.Since(begin))
		}
		if got := receive(t, pb, time.Second); got != "two" {
			t.Errorf("then %q", got)
		}
		if packets, size := pa.Sent(); packets != 2 || size != 6 {
			t.Errorf("%d packets of %d bytes are counted", packets, size)
		}
	})
}

func TestPacketsToNobodyAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b, pa, pb := sockets(t)
		b.Kill()
		send(t, pa, pb, "x")
		if _, _, err := pb.ReadFrom(nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a killed host reads: %v", err)
		}
		if _, err := pb.WriteTo(nil, pa.LocalAddr()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a killed host writes: %v", err)
		}
		if _, err := a.ListenPacket(7144); err == nil {
			t.Error("a port was opened twice")
		}
	})
}

func TestFreezeKeepsPacketsAndACutLosesThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b, pa, pb := sockets(t)
		b.Freeze()
		send(t, pa, pb, "kept")
		if got := receive(t, pb, time.Minute); got != "" {
			t.Errorf("%q came to a frozen host", got)
		}
		b.Thaw()
		if got := receive(t, pb, time.Second); got != "kept" {
			t.Errorf("after the thaw: %q", got)
		}
		a.Cut(b)
		send(t, pa, pb, "lost")
		send(t, pb, pa, "other way")
		if got := receive(t, pa, time.Second); got != "other way" {
			t.Errorf("the other way: %q", got)
		}
		a.Heal(b)
		if got := receive(t, pb, time.Minute); got != "" {
			t.Errorf("%q came over a cut", got)
		}
	})
}

func TestTheSeedDecidesWhatIsLost(t *testing.T) {
	run := func(seed uint64) (got string) {
		synctest.Test(t, func(t *testing.T) {
			n, _, _, pa, pb := sockets(t)
			n.Lose(0.3, seed)
			for c := range 100 {
				send(t, pa, pb, string(rune('!'+c%90)))
			}
			for s := receive(t, pb, time.Second); s != ""; s = receive(t, pb, time.Second) {
				got += s
			}
		})
		return got
	}
	first := run(1)
	if len(first) < 50 || len(first) > 90 {
		t.Errorf("%d of 100 packets came", len(first))
	}
	if again, other := run(1), run(2); again != first || other == first {
		t.Errorf("seed 1 %q, again %q, seed 2 %q", first, again, other)
	}
}

func TestASocketHoldsOnlySoMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, _, pa, pb := sockets(t)
		for range 1000 {
			send(t, pa, pb, "x")
		}
		n := 0
		for receive(t, pb, time.Second) != "" {
			n++
		}
		if n != 256 {
			t.Errorf("%d packets came", n)
		}
	})
}
