package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"relay/ingest/flv"
)

func TestEventsAreLinesOfJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		e := newEvents(&out)
		e.send("live", newLiveEvent(flv.Info{VideoCodec: "h264", Width: 640, Height: 360, FrameRate: 30, Title: "<Finals>"}))
		e.send("encoder_lost", &plainEvent{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		e.end(ctx, nil)
		e.send("live", newLiveEvent(flv.Info{})) // too late
		now := time.Now().UTC().Format(time.RFC3339)
		want := strings.ReplaceAll(`{"event":"live","time":"NOW","codec":{"video":"h264","audio":"","width":640,"height":360,"frame_rate":30},"title":"<Finals>"}
{"event":"encoder_lost","time":"NOW"}
{"event":"end","time":"NOW","reason":"signal"}
`, "NOW", now)
		if got := out.String(); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	})
}

func TestTheEndTellsWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for want, err := range map[string]error{`"reason":"input"}`: nil, `"reason":"error","error":"a line and another"}`: errors.New("a line\nand another")} {
			var out bytes.Buffer
			e := newEvents(&out)
			e.end(t.Context(), err)
			if !strings.Contains(strings.ReplaceAll(out.String(), "\uFFFD", `\ufffd`), want) {
				t.Errorf("%s, want %s", out.String(), want)
			}
		}
	})
}

// A program that does not read must not hold up the stream, and learns what it missed.
func TestAReaderThatStopsBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		e := newEvents(w)
		const sent = 2 * eventsKept
		for range sent {
			e.send("encoder_lost", &plainEvent{})
			synctest.Wait() // the writer is stuck in its first event
		}
		dec := json.NewDecoder(r)
		read := func() (s struct {
			Event  string
			Missed uint64
		},
		) {
			if err := dec.Decode(&s); err != nil {
				t.Fatal(err)
			}
			return s
		}
		for i := range eventsKept + 1 {
			if s := read(); s.Missed != 0 {
				t.Fatalf("event %d says that %d were missed", i, s.Missed)
			}
		}
		synctest.Wait()
		e.send("live", newLiveEvent(flv.Info{}))
		if s := read(); s.Event != "live" || s.Missed != sent-eventsKept-1 {
			t.Errorf("%+v, want %d missed", s, sent-eventsKept-1)
		}

		e.send("encoder_lost", &plainEvent{}) // nobody reads this
		begun := time.Now()
		e.close()
		if d := time.Since(begun); d != lastWrite {
			t.Errorf("the end took %v", d)
		}
		r.Close()
	})
}

func TestWithoutJSONThereAreNoEvents(t *testing.T) {
	var e *events
	e.send("live", newLiveEvent(flv.Info{}))
	e.end(t.Context(), nil)
}
