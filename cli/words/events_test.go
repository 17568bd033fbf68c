package words

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"relay/ingest/flv"
	"relay/playback"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/stream"
	"relay/tree"
)

func TestEventsAreLinesOfJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		e := NewEvents(&out)
		id := stream.ChannelID{1}
		var station playback.Events
		station.Tell(api.Event{Type: api.EventJoined, Who: "viewer", Now: new(1), Addr: "10.0.0.1:5"}) // before the start
		e.Start(id, "me", api.Start{Command: "source", Link: "relay://x", Page: "http://p/", URL: "http://u"}, &station)
		e.Tell(SourceStatus{State: api.Live, Situation: api.Situation{Name: api.OnAir}, Report: api.Report{Players: 3, Watching: new(14), SourceReport: &api.SourceReport{}}}.Event(id))
		e.Tell(watcherAt(WatchStatus{State: api.Waiting, Situation: api.Situation{Name: api.Looking, Since: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), ForS: 3}}, api.WatchReport{}).Event(id))
		e.Tell(Warning{"upload", "too\nsmall", "hint"}.Event())
		station.Tell(api.Event{Type: api.EventPublish, State: api.Stopped, Channel: id.String(), Name: id.Short()})
		e.Tell(LiveAlias(id, flv.Info{VideoCodec: "h264", Width: 640, Height: 360, FrameRate: 30, Title: "<Finals>"}))
		e.Tell(Alias(id, api.EventEncoderLost, api.EventPublish))
		e.Tell(AttachedAlias(id, relay.Attached{Parent: tree.Place{ID: tree.ID{7}, Addrs: []netip.AddrPort{netip.MustParseAddrPort("10.0.0.2:7144")}}, Depth: 2}))
		e.Tell(OrphanedAlias(id, relay.Orphaned{End: tree.ByThem(tree.ReasonClosed)}))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		e.End(ctx, nil)
		e.Tell(Alias(id, api.EventLive, api.EventMedia)) // too late
		of := `"channel":"` + id.String() + `","name":"` + id.Short() + `"`
		want := []string{
			`"event":"start",` + of + `,"node":"me","command":"source","link":"relay://x","page":"http://p/","url":"http://u"}`,
			`"event":"joined","who":"viewer","now":1,"addr":"10.0.0.1:5"}`,
			`"event":"status",` + of + `,"state":"live","situation":{"name":"live"},"bit_rate":0,"delay_ms":0,"players":3,"watching":14,"key_interval_ms":0,"direct":0,"upload_bps":0,"upload_lan_bps":0,"upload_limit_bps":0}`,
			`"event":"status",` + of + `,"state":"waiting","depth":0,"parent":"","situation":{"name":"looking","since":"2000-01-01T00:00:00Z","for_s":3},"bit_rate":0,"delay_ms":0,"players":0,"watching":null,"lost":0,"children":0}`,
			`"event":"warning","code":"upload","text":"too small","hint":"hint"}`,
			`"event":"publish",` + of + `,"state":"stopped"}`,
			`"event":"live","alias_of":"media",` + of + `,"codec":{"video":"h264","audio":"","width":640,"height":360,"frame_rate":30},"title":"<Finals>"}`,
			`"event":"encoder_lost","alias_of":"publish",` + of + `}`,
			`"event":"attached","alias_of":"parent_changed",` + of + `,"depth":2,"parent":"` + tree.ID{7}.Tag() + `","parent_addr":"10.0.0.2:7144"}`,
			`"event":"orphaned","alias_of":"parent_lost",` + of + `,"reason":"closed","by":"them"}`,
			`"event":"end","reason":"signal"}`,
		}
		now := time.Now().UTC().Format(time.RFC3339)
		for i, line := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
			if i == len(want) {
				t.Fatalf("one too many: %s", line)
			}
			if w := fmt.Sprintf(`{"seq":%d,"time":"%s",%s`, i+1, now, want[i]); line != w {
				t.Errorf("got  %s\nwant %s", line, w)
			}
		}
	})
}

func TestTheEndTellsWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for want, err := range map[string]error{`"reason":"input"}`: nil, `"reason":"error","error":"a line and another"}`: errors.New("a line\nand another")} {
			var out bytes.Buffer
			e := NewEvents(&out)
			e.End(t.Context(), err)
			if !strings.Contains(strings.ReplaceAll(out.String(), "\uFFFD", `\ufffd`), want) {
				t.Errorf("%s, want %s", out.String(), want)
			}
		}
	})
}

// A program that does not read must not hold up the stream, and it learns what it has missed.
func TestAReaderThatStopsBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		e := NewEvents(w)
		const sent, held = 1500, 512 // as many as playback.Events holds
		for range sent {
			e.Tell(api.Event{Type: api.EventMedia})
			synctest.Wait() // the writer is blocked in its first event
		}
		dec := json.NewDecoder(r)
		read := func() (s api.Event) {
			if err := dec.Decode(&s); err != nil {
				t.Fatal(err)
			}
			return s
		}
		if s := read(); s.Seq != 1 || s.Missed != 0 {
			t.Fatalf("%+v", s)
		}
		if s := read(); s.Type != api.EventMissed || s.Count != sent-held-1 {
			t.Fatalf("%+v, want %d missed", s, sent-held-1)
		}
		if s := read(); s.Seq != sent-held+1 || s.Missed != sent-held-1 { // the older form, beside the newer one
			t.Fatalf("%+v, want %d missed", s, sent-held-1)
		}
		for seq := uint64(sent - held + 2); seq <= sent; seq++ {
			if s := read(); s.Seq != seq || s.Missed != 0 {
				t.Fatalf("%+v, want number %d", s, seq)
			}
		}

		begun := time.Now()
		e.End(t.Context(), nil) // nobody reads this
		if d := time.Since(begun); d != LastWrite {
			t.Errorf("the end took %v", d)
		}
		r.Close()
	})
}

func TestWithoutJSONThereAreNoEvents(t *testing.T) {
	var e *Events
	e.Start(stream.ChannelID{}, "", api.Start{}, &playback.Events{})
	e.Tell(api.Event{Type: api.EventMedia})
	e.End(t.Context(), nil)
}
