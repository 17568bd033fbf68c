//go:build !lean

package srt

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"
)

// proxy is a network between one caller and a server that loses datagrams and swaps them.
type proxy struct {
	t      *testing.T
	server *net.UDPConn // connected
	near   *net.UDPConn
	tasks  sync.WaitGroup

	mu           sync.Mutex
	random       *rand.Rand
	lose, swap   float64 // chances
	caller       netip.AddrPort
	lost, swaped int
	keys         [4]int // packets of data by which key encrypts them
}

func newProxy(t *testing.T, to string, lose, swap float64) *proxy {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	near, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	far, err := net.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, near: near, server: far.(*net.UDPConn), random: rand.New(rand.NewPCG(seed, 0)), lose: lose, swap: swap}
	p.tasks.Go(func() {
		p.carry(near, func(b []byte) { p.server.Write(b) })
	})
	p.tasks.Go(func() {
		p.carry(p.server, func(b []byte) {
			p.mu.Lock()
			to := p.caller
			p.mu.Unlock()
			near.WriteToUDPAddrPort(b, to)
		})
	})
	t.Cleanup(func() {
		near.Close()
		far.Close()
		p.tasks.Wait()
	})
	return p
}

// carry carries one way until the socket is closed.
func (p *proxy) carry(from *net.UDPConn, to func([]byte)) {
	b := make([]byte, 2048)
	var held []byte
	for {
		n, addr, err := from.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		p.mu.Lock()
		if from == p.near {
			p.caller = addr
			if b[0]&0x80 == 0 {
				p.keys[b[4]>>3&3]++
			}
		}
		lose, swap := p.random.Float64() < p.lose, p.random.Float64() < p.swap
		if lose {
			p.lost++
		}
		if swap && held == nil {
			p.swaped++
		}
		p.mu.Unlock()
		switch {
		case lose:
		case swap && held == nil:
			held = append([]byte{}, b[:n]...)
		default:
			to(b[:n])
			if held != nil {
				to(held)
				held = nil
			}
		}
	}
}

func TestNothingIsLostOnALossyNetwork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		query string
		keys  bool // change
	}{"libsrt sends": {"", false}, "and changes its keys": {"&kmrefreshrate=100&kmpreannounce=40", true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecorder()
			s := start(t, &Server{Publish: takes(r)})
			p := newProxy(t, s.addr, 0.02, 0.02)
			cmd := ffmpeg(t, sends("srt://"+p.near.LocalAddr().String()+"?mode=caller&latency=600000&pkt_size=1316&passphrase="+url.QueryEscape(testKey)+c.query)...)
			r.until(t, "400 KB", func(got []byte, _ bool) bool { return len(got) > 400<<10 })
			cmd.Process.Signal(os.Interrupt) // it says goodbye
			r.until(t, "the end", func(_ []byte, closed bool) bool { return closed })
			whole(t, r.got.Bytes())
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Logf("%d bytes, %d datagrams lost and %d swapped, keys %d", r.got.Len(), p.lost, p.swaped, p.keys)
			if p.lost < 3 || p.swaped < 3 || c.keys && (p.keys[1] == 0 || p.keys[2] == 0) {
				t.Error("that was no test")
			}
		})
	}
}

func TestFetchingOnALossyNetwork(t *testing.T) {
	t.Parallel()
	const packets = 2000
	s := start(t, &Server{Play: func(net.Addr, string) (Viewing, error) {
		return plays{func(ctx context.Context, conn net.Conn) error {
			b := make([]byte, Payload)
			for i := range packets {
				for k := range 7 {
					b[k*188], b[k*188+1], b[k*188+2], b[k*188+3] = 0x47, 1, 0, 0x10|byte(7*i+k)&15
				}
				if _, err := conn.Write(b); err != nil {
					return err
				}
				time.Sleep(500 * time.Microsecond)
			}
			<-ctx.Done()
			return nil
		}}, nil
	}})
	p := newProxy(t, s.addr, 0.02, 0.02)
	var got []byte
	target := Target{Addr: p.near.LocalAddr().String(), Latency: 500 * time.Millisecond}
	err := target.Fetch(t.Context(), func(b []byte) error {
		if got = append(got, b...); len(got) >= packets*Payload {
			return errStopped
		}
		return nil
	})
	if len(got) != packets*Payload {
		t.Errorf("%d of %d bytes: %v", len(got), packets*Payload, err)
	}
	whole(t, got)
}
