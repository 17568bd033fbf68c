package playback

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"relay/playback/api"
	"relay/relay/stream"
)

func tell(s *Events, n int) {
	for range n {
		s.Tell(api.Event{Type: api.EventCodec})
	}
}

func TestEventReadersFollowEachAtTheirOwnPace(t *testing.T) {
	var s Events
	tell(&s, 3)
	late, err := s.Follow(s.Head())
	if err != nil {
		t.Fatal(err)
	}
	early, err := s.Follow(1)
	if err != nil {
		t.Fatal(err)
	}
	for want := uint64(2); want <= 3; want++ {
		if e, wait := early.Next(); wait != nil || e.Seq != want || e.Time.IsZero() {
			t.Fatalf("got %+v, want number %d", e, want)
		}
	}
	_, wait := late.Next()
	_, same := early.Next()
	if wait == nil || wait != same {
		t.Fatal("two readers that wait do not wait for the same")
	}
	tell(&s, 1)
	<-wait
	for _, r := range []*EventReader{late, early} {
		if e, wait := r.Next(); wait != nil || e.Seq != 4 {
			t.Errorf("got %+v", e)
		}
	}
	beyond, err := s.Follow(99) // of another run
	if err != nil {
		t.Fatal(err)
	}
	if _, wait := beyond.Next(); wait == nil {
		t.Error("an unknown number begins somewhere")
	}
}

func TestSlowReaderIsToldWhatItMissedAndHoldsNothingUp(t *testing.T) {
	var s Events
	r, err := s.Follow(0)
	if err != nil {
		t.Fatal(err)
	}
	tell(&s, eventsKept+7)
	if e, wait := r.Next(); wait != nil || e.Type != api.EventMissed || e.Count != 7 || e.Seq != 0 {
		t.Fatalf("got %+v", e)
	}
	for want := uint64(8); want <= eventsKept+7; want++ {
		if e, wait := r.Next(); wait != nil || e.Seq != want {
			t.Fatalf("got %+v, want number %d", e, want)
		}
	}
	if len(s.kept) != eventsKept {
		t.Errorf("%d events are held", len(s.kept))
	}
}

func TestEventReadersAreBounded(t *testing.T) {
	var s Events
	var all []*EventReader
	for range maxReaders {
		r, err := s.Follow(0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if _, err := s.Follow(0); !errors.Is(err, errTooMany) {
		t.Fatalf("one reader too many: %v", err)
	}
	all[0].Close()
	all[0].Close()
	if _, err := s.Follow(0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Follow(0); !errors.Is(err, errTooMany) {
		t.Fatalf("a place that was given back twice: %v", err)
	}
}

func TestCrowdThatIsTurnedAwayIsOneEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Events
		full := func(channel, who string) {
			s.Tell(api.Event{Type: api.EventLimit, Channel: channel, Who: who, Reason: "full"})
		}
		for range 1000 {
			full("a", "viewer")
		}
		full("a", "child")
		full("b", "viewer")
		time.Sleep(limitEvery)
		full("a", "viewer")
		want := []api.Event{
			{Channel: "a", Who: "viewer", Count: 1},
			{Channel: "a", Who: "child", Count: 1},
			{Channel: "b", Who: "viewer", Count: 1},
			{Channel: "a", Who: "viewer", Count: 1000},
		}
		if len(s.kept) != len(want) {
			t.Fatalf("%+v", s.kept)
		}
		for i, e := range s.kept {
			if e.Channel != want[i].Channel || e.Who != want[i].Who || e.Count != want[i].Count {
				t.Errorf("event %d: %+v", i, e)
			}
		}
		for i := range 3 * maxLimits {
			full(strings.Repeat("c", i), "viewer")
		}
		if len(s.limits) > maxLimits {
			t.Errorf("%d limits are told apart", len(s.limits))
		}
	})
}

// sse reads Server-Sent Events: the fields of the next one, comments passed over.
func sse(t *testing.T, r *bufio.Reader) map[string]string {
	t.Helper()
	fields := map[string]string{}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" && len(fields) > 0 {
			return fields
		}
		if name, value, ok := strings.Cut(line, ": "); ok && name != "" {
			fields[name] = value
		}
	}
}

func TestEventsAreServedWithoutAddresses(t *testing.T) {
	s := newSource(t, stream.Limits{})
	s.group(0)
	var events Events
	c := NewChannel(s.id, s.ring, nil)
	c.TellViewers(&events)
	addr := serve(t, Config{Channels: list(c), Events: &events, MaxViewers: 1})
	resp, _ := ask(t, addr, get("/api/v1/events"))
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	r := bufio.NewReader(resp.Body)
	if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, ": ") {
		t.Fatalf("begins with %q, %v", line, err)
	}
	_, viewer := ask(t, addr, get("/"+s.id.Short()+".flv"))
	ask(t, addr, get("/"+s.id.Short()+".flv")) // one too many
	viewer.Close()
	for i, want := range []api.Event{
		{Type: api.EventJoined, Who: "viewer"}, {Type: api.EventLimit, Who: "viewer", Reason: "full", Count: 1}, {Type: api.EventLeft, Who: "viewer", Reason: "left"},
	} {
		f := sse(t, r)
		var e api.Event
		if err := json.Unmarshal([]byte(f["data"]), &e); err != nil {
			t.Fatal(err)
		}
		if f["event"] != string(want.Type) || f["id"] != string(rune('1'+i)) || e.Type != want.Type || e.Channel != s.id.String() ||
			e.Who != want.Who || e.Reason != want.Reason || e.Count != want.Count || e.Seq != uint64(i+1) {
			t.Errorf("%v: %+v, want %+v", f, e, want)
		}
		if strings.Contains(f["data"], "127.0.0.1") || strings.Contains(f["data"], `"addr"`) {
			t.Errorf("an address is in %s", f["data"])
		}
	}
	again, _ := ask(t, addr, "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 1\r\n\r\n")
	if f := sse(t, bufio.NewReader(again.Body)); f["id"] != "2" {
		t.Errorf("who comes back after number 1 gets %v", f)
	}
	if bad, _ := ask(t, addr, get("/api/v1/events?since=now")); bad.StatusCode != http.StatusBadRequest {
		t.Errorf("since=now: %d", bad.StatusCode)
	}
	head, _ := ask(t, addr, "HEAD /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if head.StatusCode != http.StatusOK {
		t.Errorf("HEAD: %d", head.StatusCode)
	}
}

// pipe is a listener of in-memory connections.
type pipe struct {
	conns chan net.Conn
	ctx   context.Context // ends with the listener
	close func()
}

func (p pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.ctx.Done():
		return nil, net.ErrClosed
	}
}
func (p pipe) Close() error   { p.close(); return nil }
func (p pipe) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7145} }

// follow serves events in a bubble and returns the reader's end of a connection that
// follows them, with its answer's head read.
func follow(t *testing.T, events *Events) (net.Conn, *bufio.Reader) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := pipe{conns: make(chan net.Conn)}
	p.ctx, p.close = context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- NewServer(Config{Events: events}).Run(ctx, p) }()
	near, far := net.Pipe()
	t.Cleanup(func() {
		near.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	p.conns <- far
	if _, err := near.Write([]byte(get("/api/v1/events"))); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(near)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return near, bufio.NewReader(resp.Body)
}

func TestEventsBeatWhileNothingHappensAndOutlastTheListenersDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events Events
		_, r := follow(t, &events)
		begun := time.Now()
		line := func() string {
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					t.Fatalf("after %v: %v", time.Since(begun), err)
				}
				if line = strings.TrimSpace(line); line != "" {
					return line
				}
			}
		}
		line() // the greeting
		for n := 1; n <= 5; n++ {
			if got := line(); !strings.HasPrefix(got, ":") || time.Since(begun) != time.Duration(n)*heartbeatEvery {
				t.Fatalf("%q after %v", got, time.Since(begun))
			}
		}
		tell(&events, 1)
		if got := line(); got != "id: 1" {
			t.Errorf("%q", got)
		}
	})
}

func TestReaderThatTakesNoEventsIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events Events
		_, r := follow(t, &events)
		if _, err := r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		for range 100 { // and reads no more; nobody who tells waits for it
			tell(&events, 100)
		}
		time.Sleep(eventPatience + time.Second)
		synctest.Wait()
		events.mu.Lock()
		defer events.mu.Unlock()
		if events.readers != 0 {
			t.Errorf("%d readers are left", events.readers)
		}
	})
}
