package directory

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"relay/relay/stream"
)

// net4 is an Internet in memory: relays at places, and directories under names.
type net4 struct {
	mu     sync.Mutex
	relays map[netip.AddrPort]map[stream.ChannelID]bool
	web    map[string]http.Handler // by host; nil for one that is down
	dialed map[netip.AddrPort]int
	sent   map[netip.AddrPort]int // bytes, to whom nobody answers
}

func newNet() *net4 {
	return &net4{relays: map[netip.AddrPort]map[stream.ChannelID]bool{}, web: map[string]http.Handler{}, dialed: map[netip.AddrPort]int{}, sent: map[netip.AddrPort]int{}}
}

// carries has the relay at a place carry channels.
func (n *net4) carries(at netip.AddrPort, ids ...stream.ChannelID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.relays[at] == nil {
		n.relays[at] = map[stream.ChannelID]bool{}
	}
	for _, id := range ids {
		n.relays[at][id] = true
	}
}

// silent takes connections and says nothing.
func (n *net4) silent(at netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.relays[at] = nil
}

const helloBytes = 1500

// dial connects to the relay at an address. Where there is none nothing answers.
func (n *net4) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	at := netip.MustParseAddrPort(addr)
	n.mu.Lock()
	ids, there := n.relays[at]
	n.dialed[at]++
	n.mu.Unlock()
	if !there {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	near, far := net.Pipe()
	go func() { // ends with the connection
		defer far.Close()
		hello := make([]byte, helloBytes)
		if ids == nil {
			for {
				k, err := far.Read(hello)
				n.mu.Lock()
				n.sent[at] += k
				n.mu.Unlock()
				if err != nil {
					return
				}
			}
		}
		if _, err := io.ReadFull(far, hello); err != nil {
			return
		}
		far.Write([]byte{1})
		var id stream.ChannelID
		if _, err := io.ReadFull(far, id[:]); err != nil {
			return
		}
		n.mu.Lock()
		ok := n.relays[at][id]
		n.mu.Unlock()
		if ok {
			far.Write([]byte{1})
		} else {
			far.Write([]byte{0})
		}
	}()
	return near, nil
}

// probe is the dialogue of these relays.
func probe(ctx context.Context, id stream.ChannelID, at netip.AddrPort, dial Dial) error {
	conn, err := dial(ctx, "tcp", at.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	b := make([]byte, 1)
	for _, out := range [][]byte{make([]byte, helloBytes), id[:]} {
		if _, err := conn.Write(out); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, b); err != nil {
			return err
		}
	}
	if b[0] == 0 {
		return ErrOther
	}
	return nil
}

// ownNet says what a directory's own networks are: 10.1.0.0/16, and itself.
type ownNet struct{}

func (ownNet) Near(_ time.Time, a netip.Addr) bool {
	return a.IsLoopback() || netip.MustParsePrefix("10.1.0.0/16").Contains(a)
}

func (ownNet) ForAll(_ time.Time, a netip.Addr) bool {
	return a == netip.MustParseAddr("10.1.255.255")
}

// open opens a directory under a host name.
func (n *net4) open(host string, cfg Config) *Server {
	cfg.Probe, cfg.Dial, cfg.Near, cfg.Mirror = probe, n.dial, ownNet{}, n.as("198.51.100.99:1")
	s := NewServer(cfg)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.web[host] = s
	return s
}

func (n *net4) down(host string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.web[host] = nil
}

// as returns what asks directories from an address.
func (n *net4) as(from string) http.RoundTripper { return client{n, from} }

type client struct {
	*net4
	from string
}

func (c client) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	h := c.web[r.URL.Host]
	c.mu.Unlock()
	if h == nil {
		return nil, errors.New("connection refused")
	}
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.RequestURI(), r.Body)
	in.Header, in.RemoteAddr, in.Host = r.Header.Clone(), c.from, r.URL.Host
	w := httptest.NewRecorder()
	h.ServeHTTP(w, in)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// channel is a broadcaster of the tests.
func announcement(n int) Announcement {
	return Announcement{
		Seq: time.Now().UnixMilli(), TTL: TTL, Live: true, Title: "Channel " + string(rune('A'+n%26)), Listeners: n, BitRate: 3_000_000,
		Places: []netip.AddrPort{placeOf(n)},
	}
}

// placeOf is where the relay of a channel is, each in a neighbourhood of its own.
func placeOf(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{11, byte(n >> 8), byte(n), 7}), 7144)
}

func fromOf(n int) string { return netip.AddrPortFrom(placeOf(n).Addr(), 50000).String() }

// post sends an announcement, and returns the answer.
func post(t *testing.T, s http.Handler, from string, one Signed, change ...func(*http.Request)) (int, Answer) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, announcePath, strings.NewReader(one.Body))
	r.RemoteAddr = from
	sent(r, &one)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var a Answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("%d: %v: %s", w.Code, err, w.Body)
	}
	return w.Code, a
}

func get(t *testing.T, s http.Handler, path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr = "192.0.2.200:1"
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func mustSign(t testing.TB, n int, a Announcement) Signed {
	t.Helper()
	s, err := Sign(keyOf(n), a)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}
