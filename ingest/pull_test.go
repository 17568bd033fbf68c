package ingest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"relay/ingest/flv"
	"relay/ingest/ingesttest"
)

// fileOf returns an FLV file.
func fileOf(tags ...flv.Tag) string {
	b := (&flv.Header{}).Payload()
	for _, t := range tags {
		b = append(b, t...)
	}
	return string(b)
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
	go func() { done <- (&HTTPPull{URL: ingesttest.ParseURL(t, srv.URL), Open: c.Open}).Run(ctx) }()
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
		err := (&HTTPPull{URL: ingesttest.ParseURL(t, in), Open: c.Open}).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pass") {
			t.Errorf("%s: %v", in, err)
		}
	}
	if err := (&RTMPPull{URL: ingesttest.ParseURL(t, "rtmp://"+ln.Addr().String()+"/a/b"), Open: c.Open}).Run(t.Context()); err == nil {
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
