package abuse

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"relay/cli/abuse/hostile"
	"relay/ingest/browser"
	"relay/relay/refusal"
	"relay/relay/stream"
)

// What says that it is a page that films, and is none, is told so, and gets no broadcast.
func TestNobodyFilmsWithoutTheToken(t *testing.T) {
	intake := browser.NewIntake(func(context.Context) (browser.Sink, error) {
		t.Error("somebody broadcasts")
		return nil, browser.ErrBusy
	}, zap.NewNop())
	srv := httptest.NewServer(intake)
	t.Cleanup(srv.Close)
	ends := map[string]string{
		"without an origin": " 403 ", "of another site": " 403 ", "of another port": " 403 ", "of no site": " 403 ",
		"with a wrong token": "denied", "with a hello of 1 MiB": "", "with a hello that is none": "malformed",
		"with a record before its hello": "malformed", "with a record of 2^62 bytes": "", "without a mask": "",
	}
	counted := map[refusal.Reason]uint64{browser.RefusedRequest: 4, browser.RefusedToken: 1, browser.RefusedBusy: 0, browser.RefusedMalformed: 5, browser.RefusedCodec: 0}
	n := 0
	var wg sync.WaitGroup // a library waits for the other side to end as well
	for _, in := range inputsOf(stream.ChannelID{}, hostile.HTTP) {
		name, films := strings.CutPrefix(in.Name, "a page that films, ")
		if !films {
			continue
		}
		n++
		want, known := ends[name]
		if !known {
			t.Errorf("nobody says how it ends %s", name)
		}
		wg.Go(func() { // ends within patience
			conn, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			_ = conn.SetDeadline(time.Now().Add(patience))
			go func() { _, _ = conn.Write(in.Bytes) }() // ends with conn
			r := bufio.NewReader(conn)
			b, _ := r.ReadBytes('\n')
			if want != " 403 " { // the node ends it
				rest, err := io.ReadAll(r)
				if e, ok := err.(net.Error); ok && e.Timeout() {
					t.Errorf("%s: the connection stays", name)
				}
				b = append(b, rest...)
			}
			conn.Close()
			if !bytes.Contains(b, []byte(want)) || !bytes.HasPrefix(b, []byte(in.Says)) {
				t.Errorf("%s: %.300q", name, b)
			}
		})
	}
	wg.Wait()
	if n != len(ends) {
		t.Errorf("%d inputs of %d", n, len(ends))
	}
	srv.Close() // it waits for all that it answers, but for WebSockets: each of these ends by itself
	for until := time.Now().Add(patience); !maps.Equal(intake.Refused(), counted); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%v are counted, want %v", intake.Refused(), counted)
		}
	}
}
