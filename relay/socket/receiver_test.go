package socket

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

// heard is what is told of one datagram.
type heard struct {
	text string
	from netip.AddrPort
	err  error
}

func TestDatagramsComeAsTheLibraryReadsThem(t *testing.T) {
	for _, test := range []struct{ network, at, from string }{
		{"udp4", "127.0.0.1:0", "127.0.0.2:0"},
		{"udp6", "[::1]:0", "[::1]:0"},
		{"udp", "[::]:0", "127.0.0.1:0"}, // who comes by IPv4 has an address of IPv6 there
	} {
		here := listenUDP(t, test.network, test.at)
		there := listenUDP(t, "udp", test.from)
		to := netip.AddrPortFrom(there.LocalAddr().(*net.UDPAddr).AddrPort().Addr(), here.LocalAddr().(*net.UDPAddr).AddrPort().Port())
		if test.network == "udp4" {
			to = here.LocalAddr().(*net.UDPAddr).AddrPort()
		}
		r, err := ReceiverOf(here)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 8)
		for _, sent := range []string{"one", "", "12345678", "123456789"} { // the last of which does not fit
			var all [2]heard
			for i, read := range []func([]byte) (int, netip.AddrPort, error){r.Receive, here.ReadFromUDPAddrPort} {
				if _, err := there.WriteToUDPAddrPort([]byte(sent), to); err != nil {
					t.Fatal(err)
				}
				n, from, err := read(b)
				all[i] = heard{string(b[:n]), from, err}
			}
			if all[0] != all[1] || all[0].text != sent[:min(len(sent), len(b))] {
				t.Errorf("%s, %q: %+v, the library's %+v", test.network, sent, all[0], all[1])
			}
		}
	}
}

// listenUDP has a socket until the test ends.
func listenUDP(t *testing.T, network, at string) *net.UDPConn {
	t.Helper()
	a, err := net.ResolveUDPAddr(network, at)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.ListenUDP(network, a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestReceivingTellsHowItEnded(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(c *net.UDPConn)
		want error
	}{
		"closed":     {func(c *net.UDPConn) { c.Close() }, net.ErrClosed},
		"a deadline": {func(c *net.UDPConn) { c.SetReadDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
	} {
		c := listenUDP(t, "udp4", "127.0.0.1:0")
		r, err := ReceiverOf(c)
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan error, 1)
		go func() { _, _, err := r.Receive(make([]byte, 8)); got <- err }()
		test.end(c)
		if err := <-got; !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	gone := listenUDP(t, "udp4", "127.0.0.1:0")
	gone.Close()
	r, err := ReceiverOf(gone)
	if err == nil {
		_, _, err = r.Receive(make([]byte, 8))
	}
	if !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed before: %v", err)
	}
}

func TestAPortWhereNobodyListensIsTold(t *testing.T) {
	gone := listenUDP(t, "udp4", "127.0.0.1:0")
	conn, err := net.Dial("udp4", gone.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	gone.Close()
	r, err := ReceiverOf(conn.(*net.UDPConn))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Receive(make([]byte, 8)); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v", err)
	}
}

func TestReceivingAllocatesNothing(t *testing.T) {
	here, there := listenUDP(t, "udp4", "127.0.0.1:0"), listenUDP(t, "udp4", "127.0.0.1:0")
	to := here.LocalAddr().(*net.UDPAddr).AddrPort()
	r, err := ReceiverOf(here)
	if err != nil {
		t.Fatal(err)
	}
	b, text := make([]byte, 8), []byte("one")
	if n := testing.AllocsPerRun(100, func() {
		if _, err := there.WriteToUDPAddrPort(text, to); err != nil {
			t.Fatal(err)
		}
		if n, _, err := r.Receive(b); n != 3 || err != nil {
			t.Fatal(n, err)
		}
	}); n > 0 {
		t.Errorf("%v allocations a datagram", n)
	}
}
