package ingest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bluenviron/gortmplib/pkg/handshake"
	"go.uber.org/zap"

	"relay/ingest/flv"
)

// fileOf returns an FLV file.
func fileOf(tags ...flv.Tag) string {
	b := (&flv.Header{}).Payload()
	for _, t := range tags {
		b = append(b, t...)
	}
	return string(b)
}

func parse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestHTTPPullTakesTheStreamAndConnectsAgain(t *testing.T) {
	requests := make(chan struct{}, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests <- struct{}{}
		io.WriteString(w, fileOf(video(0, avcConfig), video(0, avcKey)))
	}))
	defer srv.Close()
	c := newChannel(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- (&HTTPPull{URL: parse(t, srv.URL), Open: c.Open}).Run(ctx) }()
	var last uint32
	for range 4 {
		if ts := (<-c.accepted).Timestamp(); ts < last {
			t.Errorf("timestamp %d after %d", ts, last)
		} else {
			last = ts
		}
	}
	if len(requests) != 2 {
		t.Errorf("%d requests", len(requests))
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAPullThatNeverWorkedIsAnError(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page":
			io.WriteString(w, "<!doctype html>")
		case "/empty":
			io.WriteString(w, fileOf())
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close() // nobody listens there now
	c := newChannel(t)
	for in, want := range map[string]string{
		srv.URL + "/none":  "answers 404 Not Found",
		srv.URL + "/page":  "looks like HTML",
		srv.URL + "/empty": "the stream ended",
		"http://user:pass@" + ln.Addr().String() + "/": "connection refused",
	} {
		err := (&HTTPPull{URL: parse(t, in), Open: c.Open}).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pass") {
			t.Errorf("%s: %v", in, err)
		}
	}
	if err := (&RTMPPull{URL: parse(t, "rtmp://"+ln.Addr().String()+"/a/b"), Open: c.Open}).Run(t.Context()); err == nil {
		t.Error("RTMP: no error")
	}
}

func TestAPullBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChannel(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var at []time.Time
		p := pull{open: c.Open, log: zap.NewNop(), fetch: func(_ context.Context, take func(flv.Tag) error) error {
			at = append(at, time.Now())
			switch len(at) {
			case 1:
				if err := take(audio(0, aacFrame)); err != nil {
					return err
				}
			case 12:
				cancel()
			}
			return errors.New("down")
		}}
		if err := p.run(ctx); err != nil {
			t.Fatal(err)
		}
		most := backoffFirst
		for i := range at[1:] {
			pause := at[i+1].Sub(at[i])
			if pause < most/2 || pause > most*3/2 {
				t.Errorf("pause %d is %v, not around %v", i, pause, most)
			}
			most = min(2*most, backoffMost)
		}
	})
}

func TestAPullEndsWhenItsSideFails(t *testing.T) {
	c := newChannel(t)
	c.open(t)
	p := pull{open: c.Open, log: zap.NewNop(), fetch: func(_ context.Context, take func(flv.Tag) error) error {
		return take(audio(0, aacFrame))
	}}
	if err := p.run(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("%v", err)
	}
}

func TestRTMPTarget(t *testing.T) {
	for in, want := range map[string]rtmpTarget{
		"rtmp://h/a/s":          {"h:1935", "rtmp://h:1935/a", "a", "s"},
		"rtmp://h:5/a/b/s?x=y":  {"h:5", "rtmp://h:5/a/b", "a/b", "s?x=y"},
		"rtmp://u:p@[::1]/a/s/": {"[::1]:1935", "rtmp://[::1]:1935/a", "a", "s"},
	} {
		if got, err := parseRTMPTarget(parse(t, in)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{"rtmp://h", "rtmp://h/a", "rtmp:///a/b", "http://h/a/b"} {
		if _, err := parseRTMPTarget(parse(t, in)); err == nil {
			t.Errorf("%s was taken", in)
		}
	}
}

// origin is an RTMP server that plays: it answers the dialogue, and then runs
// after.
func origin(t *testing.T, conn net.Conn, after func(*encoder)) {
	t.Helper()
	defer conn.Close()
	if _, _, err := handshake.DoServer(conn, true); err != nil {
		t.Error(err)
		return
	}
	e := &encoder{newRTMPConn(conn), conn}
	for {
		m, err := e.next()
		if err != nil {
			t.Error(err)
			return
		}
		cmd, err := parseCommand(m)
		if err != nil {
			t.Error(err)
			return
		}
		switch cmd.name {
		case "connect":
			if app, _ := cmd.object(0).GetString("app"); app != "app" {
				t.Errorf("app %q", app)
			}
			e.send(0, command{"_result", cmd.id, []any{nil, nil}})
		case "createStream":
			e.send(0, command{"_result", cmd.id, []any{nil, 1.0}})
		case "play":
			if cmd.text(1) != "stream?x" {
				t.Errorf("stream %q", cmd.text(1))
			}
			e.status("status", "NetStream.Play.Start", "")
			after(e)
			return
		}
	}
}

func TestRTMPPull(t *testing.T) {
	target := rtmpTarget{addr: "host:1", app: "app", stream: "stream?x"}
	for name, c := range map[string]struct {
		after func(e *encoder)
		want  string
	}{
		"ends": {func(e *encoder) {
			e.media(t, msgVideo, 40, avcKey)
			e.status("status", "NetStream.Play.UnpublishNotify", "")
		}, "the stream ended"},
		"breaks": {func(e *encoder) {
			e.media(t, msgVideo, 40, avcKey)
		}, "closed the connection"},
		"refuses": {func(e *encoder) {
			e.media(t, msgVideo, 40, avcKey)
			e.status("error", "NetStream.Play.StreamNotFound", "no\x1b[2J such")
		}, "it refuses: no\ufffd[2J such (NetStream.Play.StreamNotFound)"},
		"falls silent": {func(e *encoder) {
			e.media(t, msgVideo, 40, avcKey)
			io.Copy(io.Discard, e.Conn)
		}, "nothing came for 10 s"},
		"nests": {func(e *encoder) {
			e.media(t, msgVideo, 40, avcKey)
			e.media(t, msgCommandAMF0, 0, strings.Repeat(deepArray, 1000))
		}, "levels deep"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				// A pipe has no buffer, and both ends greet first.
				go origin(t, &buffered{Conn: there}, c.after)
				var tags []flv.Tag
				conn := &buffered{Conn: here}
				err := target.play(conn, func(tag flv.Tag) error { tags = append(tags, tag); return nil })
				conn.Close()
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
				if len(tags) != 1 || string(tags[0]) != string(video(40, avcKey)) {
					t.Errorf("%q", tags)
				}
				synctest.Wait()
			})
		})
	}
}

func TestRTMPPullGivesUpOnASilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		go io.Copy(io.Discard, there) // ends with the pipe
		begun := time.Now()
		err := rtmpTarget{addr: "host:1", app: "app", stream: "stream"}.play(here, nil)
		here.Close()
		if err == nil || !strings.Contains(err.Error(), "not agreed on within 5 s") {
			t.Errorf("%v", err)
		}
		if d := time.Since(begun); d != 5*time.Second {
			t.Errorf("after %v", d)
		}
	})
}
