package discovery

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"relay/relay/multicast"
)

// loopback keeps these tests off the networks of the machine they run on.
var loopback = []string{loopbackName()}

func loopbackName() string {
	ifs, _ := net.Interfaces()
	for _, i := range ifs {
		if i.Flags&net.FlagLoopback != 0 {
			return i.Name
		}
	}
	return "no loopback interface"
}

// freePort is a UDP port that nobody has.
func freePort(t *testing.T) uint16 {
	t.Helper()
	c, err := net.ListenPacket("udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// respond runs a responder until the test ends.
func respond(t *testing.T, r Responder) {
	t.Helper()
	r.Interfaces, r.Log = loopback, zaptest.NewLogger(t)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
}

// patience bounds every wait here; nothing takes that long.
const patience = 2 * time.Minute

// findUntil looks until ok is satisfied with all that was found.
func findUntil(t *testing.T, port uint16, ok func([]Found) bool) []Asked {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all []Found
	asked, err := Finder{Port: port, Interfaces: loopback}.Run(ctx, func(f Found) {
		if all = append(all, f); ok(all) {
			cancel()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if !ok(all) {
		t.Fatalf("found %v", all)
	}
	return asked
}

func TestEveryRelayOfAMachineIsFound(t *testing.T) {
	port := freePort(t)
	for i, title := range []string{"one", "two", "three"} {
		c := channelsOf("", "", "")[i]
		c.Title = title
		respond(t, Responder{
			Port: port, Link: netip.MustParseAddrPort("[::]:" + strconv.Itoa(7000+i)),
			Channels: func() []Channel { return []Channel{c} },
		})
	}
	asked := findUntil(t, port, func(all []Found) bool {
		for i, title := range []string{"one", "two", "three"} {
			if !slices.ContainsFunc(all, func(f Found) bool {
				return f.Title == title && f.ID[1] == byte(i) && f.Addr == netip.MustParseAddrPort("127.0.0.1:"+strconv.Itoa(7000+i)) && f.After > 0
			}) {
				return false
			}
		}
		return true
	})
	if !slices.Contains(asked, Asked{loopback[0], netip.MustParseAddr("127.0.0.1")}) {
		t.Errorf("asked %v", asked)
	}
}

func TestFinderFindsWhoComesLater(t *testing.T) {
	port := freePort(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	asking := make(chan struct{}, 1)
	probe := quietEar(t, port, asking)
	found := make(chan Found, 100)
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := (Finder{Port: port, Interfaces: loopback}).Run(ctx, func(f Found) {
			select {
			case found <- f:
			default:
			}
		}); err != nil {
			t.Error(err)
		}
	})
	defer wg.Wait()
	defer cancel()
	<-asking // it has asked in vain
	probe()
	respond(t, Responder{Port: port, Link: netip.MustParseAddrPort("[::]:7144"), Channels: oneChannel})
	select {
	case f := <-found:
		if f.Title != "one" {
			t.Errorf("found %+v", f)
		}
	case <-ctx.Done():
		t.Error("nothing was found")
	}
}

// quietEar hears queries on the port and does not answer, until stop.
func quietEar(t *testing.T, port uint16, heard chan<- struct{}) (stop func()) {
	t.Helper()
	e, err := multicast.Listen(t.Context(), group4, port)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		b := make([]byte, PacketSize)
		for {
			n, _, err := e.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if _, err := parseQuery(b[:n]); err == nil {
				select {
				case heard <- struct{}{}:
				default:
				}
			}
		}
	})
	stop = sync.OnceFunc(func() { e.Close(); wg.Wait() })
	t.Cleanup(stop)
	return stop
}

func TestAnswerToAnotherQueryIsNotBelieved(t *testing.T) {
	port := freePort(t)
	e, err := multicast.Listen(t.Context(), group4, port)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { // says a lie about each query, then the truth
		b := make([]byte, PacketSize)
		for {
			n, from, err := e.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			q, err := parseQuery(b[:n])
			if err != nil {
				continue
			}
			for _, a := range []answer{
				{nonce: q.nonce + 1, port: 1, channels: channelsOf("a lie")},
				{nonce: q.nonce, port: 2, channels: channelsOf("the truth")},
			} {
				reply, _ := a.append(nil)
				if _, err := e.WriteToUDPAddrPort(reply, from); errors.Is(err, net.ErrClosed) {
					return // a query may still be here when what was looked for is found
				} else if err != nil {
					t.Error(err)
				}
			}
		}
	})
	defer wg.Wait()
	defer e.Close()
	findUntil(t, port, func(all []Found) bool {
		for _, f := range all {
			if f.Title != "the truth" || f.Addr.Port() != 2 {
				t.Fatalf("found %+v", f)
			}
		}
		return len(all) > 2
	})
}

func TestResponderSaysThatThePortIsTaken(t *testing.T) {
	c4, err := net.ListenPacket("udp4", "0.0.0.0:0") // a program that does not share
	if err != nil {
		t.Fatal(err)
	}
	defer c4.Close()
	port := c4.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	if c6, err := net.ListenPacket("udp6", net.JoinHostPort("::", strconv.Itoa(int(port)))); err == nil {
		defer c6.Close()
	}
	r := Responder{Port: port, Interfaces: loopback, Link: netip.MustParseAddrPort("[::]:7144"), Channels: oneChannel}
	if err := r.Run(t.Context()); err == nil {
		t.Error("it runs")
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	port := freePort(t)
	if _, err := (Finder{Port: port, Interfaces: loopback}).Run(ctx, nil); err != nil {
		t.Error(err)
	}
	r := Responder{Port: port, Interfaces: loopback, Link: netip.MustParseAddrPort("[::]:7144"), Channels: oneChannel}
	if err := r.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestResponderEndsWheneverItsContextDoes(t *testing.T) {
	port := freePort(t)
	r := Responder{Port: port, Interfaces: loopback, Link: netip.MustParseAddrPort("[::]:7144"), Channels: oneChannel}
	for i := range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }() // ends with ctx, or the test fails
		time.Sleep(time.Duration(i) * 20 * time.Microsecond)
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(patience):
			t.Fatal("it goes on")
		}
	}
}
