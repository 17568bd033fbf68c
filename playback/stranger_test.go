package playback

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/refusal"
	"relay/relay/stream"
)

// pipes is a listener in memory: what is dialled comes from an address of the test's own.
type pipes chan net.Conn

type pipeAddr string

func (a pipeAddr) Network() string { return "tcp" }
func (a pipeAddr) String() string  { return string(a) }

type pipeEnd struct {
	net.Conn
	from string
}

func (p pipeEnd) RemoteAddr() net.Addr { return pipeAddr(p.from) }

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return pipeAddr("127.0.0.1:7145") }

func (p pipes) dial(from string) net.Conn {
	ours, theirs := net.Pipe()
	p <- pipeEnd{theirs, from}
	return ours
}

// serveInMemory runs a server within a bubble. The caller ends it.
func serveInMemory(c Config) (s *Server, at pipes, stop func()) {
	at = make(pipes)
	ctx, cancel := context.WithCancel(context.Background())
	s = NewServer(c)
	done := make(chan struct{})
	go func() { // ends with stop
		defer close(done)
		s.Run(ctx, at)
	}()
	return s, at, func() {
		cancel()
		close(at)
		<-done
	}
}

// Each kind is one that has kept other servers busy: they are cut by the limits, and counted once.
func TestBadInputIsCutByTheLimitsWithAReason(t *testing.T) {
	says := func(b string) func(net.Conn) { return func(c net.Conn) { io.WriteString(c, b) } }
	every := func(gap time.Duration, b string) func(net.Conn) {
		return func(c net.Conn) {
			for i := range len(b) {
				if _, err := io.WriteString(c, b[i:i+1]); err != nil {
					return
				}
				time.Sleep(gap)
			}
		}
	}
	long := strings.Repeat("x", maxRequestHeader+8<<10)
	for name, c := range map[string]struct {
		talk func(net.Conn)
		want refusal.Reason
		in   time.Duration
	}{
		"nothing":                    {says(""), RefusedSilent, requestTimeout},
		"half a request":             {says("GET / HTTP/1.1\r\nHost: local"), RefusedSlow, requestTimeout},
		"a byte a second":            {every(time.Second, "GET / HTTP/1.1\r\nHost: localhost\r\n"), RefusedSlow, requestTimeout},
		"a header a second for ever": {every(100*time.Millisecond, "GET / HTTP/1.1\r\n"+strings.Repeat("X-a: b\r\n", 100)), RefusedSlow, requestTimeout},
		"a request line of 24 KiB":   {says("GET /" + long), RefusedHeader, 0},
		"a header of 24 KiB":         {says("GET / HTTP/1.1\r\nHost: localhost\r\nCookie: " + long), RefusedHeader, 0},
		"5,000 headers":              {says("GET / HTTP/1.1\r\nHost: localhost\r\n" + strings.Repeat("A: b\r\n", 5000)), RefusedHeader, 0},
		"TLS":                        {says("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\n", 4)), RefusedGarbage, 0},
		"SSH":                        {says("SSH-2.0-OpenSSH_9.6\r\n\r\n"), RefusedGarbage, 0},
		"RTMP":                       {says("\x03\x00\x00\x00\x00\n\n"), RefusedGarbage, 0},
		"HTTP/2":                     {says("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), RefusedMethod, 0},
		"HTTP/9.9":                   {says("GET / HTTP/9.9\r\nHost: localhost\r\n\r\n"), RefusedGarbage, 0},
		"two hosts":                  {says("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"), RefusedGarbage, 0},
		"no host":                    {says("GET / HTTP/1.1\r\n\r\n"), RefusedGarbage, 0},
		"two lengths":                {says("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), RefusedGarbage, 0},
		"an odd encoding":            {says("GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n"), RefusedGarbage, 0},
		"a NUL in a header":          {says("GET / HTTP/1.1\r\nHost: localhost\r\nA: \x00\r\n\r\n"), RefusedGarbage, 0},
		"an Icecast source":          {says("SOURCE /live HTTP/1.0\r\nHost: localhost\r\nAuthorization: Basic c291cmNlOmhhY2ttZQ==\r\n\r\n"), RefusedMethod, 0},
		"a WebDAV upload":            {says("PUT /live.flv HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1099511627776\r\n\r\n"), RefusedMethod, requestTimeout + time.Second},
		"a rebound name":             {says("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), RefusedHost, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, at, stop := serveInMemory(Config{})
				defer stop()
				conn := at.dial("203.0.113.7:5")
				began := time.Now()
				var talking sync.WaitGroup
				talking.Go(func() { c.talk(conn) })
				answer, _ := io.ReadAll(conn)
				if d := time.Since(began); d > c.in+time.Second {
					if c.in != 0 || !strings.Contains(string(answer), " 405 ") && d > idleTimeout {
						t.Errorf("cut after %v", d)
					}
				}
				conn.Close()
				talking.Wait()
				synctest.Wait()
				for _, r := range Refusals {
					if n := s.refused.All()[r]; (n == 1) != (r == c.want) || n > 1 {
						t.Errorf("%s: %d; answered %.60q", r, n, answer)
					}
				}
			})
		})
	}
}

func TestWhoDoesNotReadAnAnswerIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, at, stop := serveInMemory(Config{})
		defer stop()
		conn := at.dial("203.0.113.7:5")
		io.WriteString(conn, get("/web/app.js"))
		began := time.Now()
		for b := make([]byte, 1); ; time.Sleep(time.Second) {
			if _, err := conn.Read(b); err != nil {
				break
			}
		}
		if d := time.Since(began); d > AnswerTimeout+time.Second {
			t.Errorf("cut after %v", d)
		}
		synctest.Wait()
		if n := s.refused.All()[RefusedStuck]; n != 1 {
			t.Errorf("%d counted", n)
		}
	})
}

func TestAWellBehavedConnectionIsCountedForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, at, stop := serveInMemory(Config{})
		defer stop()
		for range 3 {
			conn := at.dial("203.0.113.7:5")
			r := bufio.NewReader(conn)
			for range 3 {
				go io.WriteString(conn, get("/healthz"))
				resp, err := http.ReadResponse(r, nil)
				if err != nil || body(t, resp) != "ok\n" {
					t.Fatal(err)
				}
				time.Sleep(20 * time.Second)
			}
			time.Sleep(time.Hour) // until it is closed
			conn.Close()
		}
		at.dial("203.0.113.7:5").Close() // a port scan
		synctest.Wait()
		for _, r := range Refusals {
			if n := s.refused.All()[r]; n != 0 {
				t.Errorf("%s: %d", r, n)
			}
		}
	})
}

func TestNewViewersGetInBesideIdleConnections(t *testing.T) {
	const idle = 500
	one := func(int) string { return "203.0.113.7:5" }
	many := func(i int) string { return fmt.Sprintf("203.0.%d.7:5", i%250) }
	for name, c := range map[string]struct {
		from func(int) string
		talk string
	}{
		"silent":                     {one, ""},
		"from many":                  {many, ""},
		"half a request":             {one, "GET / HTTP/1.1\r\n"},
		"half a request, from many ": {many, "GET / HTTP/1.1\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				src := newSource(t, stream.Limits{})
				src.group(0)
				s, at, stop := serveInMemory(Config{
					Channels: list(src.channel()), Own: func(a netip.Addr) bool { return a.IsPrivate() },
				})
				defer stop()
				viewer := func(from string) {
					conn := at.dial(from)
					conn.SetDeadline(time.Now().Add(time.Second))
					go io.WriteString(conn, get("/"+src.id.Short()+".flv"))
					resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
					if err != nil || resp.StatusCode != http.StatusOK {
						t.Errorf("%s: %v", from, err)
					}
					t.Cleanup(func() { conn.Close() })
				}
				viewer("192.168.1.2:1")
				home := at.dial("192.168.1.3:1") // keeps its connection, idle
				go io.WriteString(home, get("/healthz"))
				if _, err := http.ReadResponse(bufio.NewReader(home), nil); err != nil {
					t.Fatal(err)
				}
				for i := range idle {
					conn := at.dial(c.from(i))
					go io.WriteString(conn, c.talk)
					defer conn.Close()
				}
				synctest.Wait()
				for _, from := range []string{"198.51.100.7:5", "127.0.0.1:5", "192.168.1.5:5", c.from(0)} {
					viewer(from)
				}
				home.SetDeadline(time.Now().Add(time.Second))
				go io.WriteString(home, get("/healthz"))
				if _, err := home.Read(make([]byte, 1)); err != nil {
					t.Errorf("this network's own connection was cut: %v", err)
				}
				synctest.Wait()
				if n := s.refused.All()[RefusedRequests]; n < idle-maxRequests {
					t.Errorf("%d have given way", n)
				}
				src.ring.Close()
			})
		})
	}
}

func TestNobodyTakesAllPlacesForViewers(t *testing.T) {
	take := func(p *places, n int, from func(int) string) (taken int, last refusal.Reason) {
		for i := range n {
			a, _ := netip.ParseAddr(from(i)) // the zero Addr for ""
			if leave, why := p.take(a, a.IsPrivate()); leave != nil {
				taken++
			} else {
				last = why
			}
		}
		return taken, last
	}
	type crowd struct {
		from func(int) string
		want int
		why  refusal.Reason
	}
	p := places{most: 1000}
	for _, c := range []crowd{
		{func(int) string { return "203.0.113.7" }, 250, RefusedShare},
		{func(i int) string { return fmt.Sprintf("203.0.113.%d", 8+i%200) }, 250, RefusedShare},
		{func(i int) string { return fmt.Sprintf("198.51.%d.%d", i%250, i/250) }, 438, RefusedFull},
		{func(int) string { return "192.168.1.2" }, 62, RefusedFull},
	} {
		if n, why := take(&p, 2000, c.from); n != c.want || why != c.why {
			t.Errorf("%s: %d places, then %q", c.from(0), n, why)
		}
	}
	for name, c := range map[string]crowd{
		"a customer's /64":              {func(i int) string { return fmt.Sprintf("2001:db8::%x", i) }, 250, RefusedShare},
		"a /48":                         {func(i int) string { return fmt.Sprintf("2001:db8:0:%x::1", i) }, 500, RefusedShare},
		"who is behind a proxy unnamed": {func(int) string { return "" }, 250, RefusedShare},
	} {
		if n, why := take(&places{most: 1000}, 2000, c.from); n != c.want || why != c.why {
			t.Errorf("%s: %d places, then %q", name, n, why)
		}
	}
	few := places{most: 1}
	leave, _ := few.take(netip.MustParseAddr("203.0.113.7"), false)
	if leave == nil {
		t.Fatal("the only place is for nobody")
	}
	leave()
	if one, all := few.of.Of(netip.MustParseAddr("203.0.113.7")); one != 0 || all != 0 || few.taken != 0 {
		t.Errorf("it is still taken: %d, %d and %d", one, all, few.taken)
	}
}

func TestWhatIsNoneOfAChannelsHLSIsNotFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newSource(t, stream.Limits{})
		s, at, stop := serveInMemory(Config{Channels: list(src.channel())}) // which has no segment yet
		defer stop()
		for _, file := range []string{"anything", "index.m3u8.bak", "1.ts", "init-.mp4", "-1.mp4", "a/1.mp4", "", "..%2f..%2fetc%2fpasswd"} {
			conn := at.dial("127.0.0.1:5")
			conn.SetDeadline(time.Now().Add(time.Second))
			go io.WriteString(conn, get("/hls/"+src.id.Short()+"/"+file))
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Errorf("%q: %v", file, err)
			} else if resp.StatusCode != http.StatusNotFound {
				t.Errorf("%q: %d", file, resp.StatusCode)
			}
			conn.Close()
		}
		if len(s.runs.of) != 0 {
			t.Error("HLS is made for nothing")
		}
	})
}
