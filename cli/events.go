package cli

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/term"
	"relay/ingest/flv"
	"relay/relay"
)

const (
	// eventsKept is how many events wait for whoever reads them. A reader that stops
	// must not stop the stream: what comes on top is left out, and counted.
	eventsKept = 256
	// statusEvery is how often there is a status event.
	statusEvery = 5 * time.Second
)

// events writes what happens as JSON, one object on a line, for programs. A nil one
// writes nothing. It is safe for concurrent use, and its methods do not block.
type events struct {
	queue chan any
	done  chan struct{} // closed when all is written

	mu     sync.Mutex
	missed uint64 // since the last event that was kept
	closed bool
}

// jsonEvents returns what --json asks for.
func jsonEvents(c *cli.Context, stdio Stdio) *events {
	if !c.Bool("json") {
		return nil
	}
	return newEvents(stdio.Out)
}

// newEvents returns one that writes to w until close.
func newEvents(w io.Writer) *events {
	e := &events{queue: make(chan any, eventsKept), done: make(chan struct{})}
	go func() { // ends with close, or with the process if w blocks
		defer close(e.done)
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for v := range e.queue {
			_ = enc.Encode(v) // a reader that has gone misses the rest; the stream matters more
		}
	}()
	return e
}

// stamp is what every event begins with.
type stamp struct {
	Event  string    `json:"event"`
	Time   time.Time `json:"time"`
	Missed uint64    `json:"missed,omitempty"` // events before it that were left out
}

func (s *stamp) begin(event string, missed uint64) {
	s.Event, s.Missed, s.Time = event, missed, time.Now().UTC().Truncate(time.Millisecond)
}

// stamped is a pointer to any event.
type stamped interface {
	begin(event string, missed uint64)
}

// send writes v as an event of that kind.
func (e *events) send(event string, v stamped) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	v.begin(event, e.missed)
	select {
	case e.queue <- v:
		e.missed = 0
	default:
		e.missed++
	}
}

// end is the last event, and closes. The context is the command's.
func (e *events) end(ctx context.Context, err error) {
	v := &endEvent{Reason: "input"}
	switch {
	case err != nil:
		v.Reason, v.Error = "error", term.Clean(err.Error())
	case ctx.Err() != nil:
		v.Reason = "signal"
	}
	e.send("end", v)
	e.close()
}

// close writes what waits, for lastWrite at most.
func (e *events) close() {
	if e == nil {
		return
	}
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		close(e.queue)
	}
	e.mu.Unlock()
	select {
	case <-e.done:
	case <-time.After(lastWrite):
	}
}

// The events, as cli/design.md documents them. A field is never renamed or dropped;
// new ones may come.
type (
	startEvent struct {
		stamp
		Command string `json:"command"`        // source or watch
		Channel string `json:"channel"`        // its ID
		Node    string `json:"node"`           // this node's ID
		Link    string `json:"link"`           // to share
		Page    string `json:"page"`           // for browsers in this network
		URL     string `json:"url"`            // for players on this machine
		RTMP    string `json:"rtmp,omitempty"` // likewise, if watch plays over RTMP
		Server  string `json:"server,omitempty"`
		Key     string `json:"key,omitempty"`
	}
	liveEvent struct {
		stamp
		Codec codecField `json:"codec"`
		Title string     `json:"title"`
	}
	codecField struct {
		Video     string  `json:"video"`
		Audio     string  `json:"audio"`
		Width     int     `json:"width"`
		Height    int     `json:"height"`
		FrameRate float64 `json:"frame_rate"`
	}
	plainEvent    struct{ stamp } // encoder_lost
	attachedEvent struct {
		stamp
		Depth      int    `json:"depth"`
		Parent     string `json:"parent"` // the first 12 characters of its ID
		ParentAddr string `json:"parent_addr"`
	}
	orphanedEvent struct {
		stamp
		Reason string `json:"reason"`
		By     string `json:"by,omitempty"`
	}
	sourceStatusEvent struct {
		stamp
		State          string `json:"state"`
		BitRate        int    `json:"bit_rate"`
		KeyIntervalMs  int64  `json:"key_interval_ms"`
		Direct         int    `json:"direct"`
		Watching       int    `json:"watching"`
		Players        int    `json:"players"`
		UploadBPS      int    `json:"upload_bps"`
		UploadLANBPS   int    `json:"upload_lan_bps"`
		UploadLimitBPS int    `json:"upload_limit_bps"`
		DelayMs        int64  `json:"delay_ms"`
	}
	watchStatusEvent struct {
		stamp
		State    string `json:"state"`
		BitRate  int    `json:"bit_rate"`
		DelayMs  int64  `json:"delay_ms"`
		Depth    int    `json:"depth"`
		Parent   string `json:"parent"`
		Lost     uint64 `json:"lost"`
		Children int    `json:"children"`
		Players  int    `json:"players"`
	}
	warningEvent struct {
		stamp
		Code string `json:"code"`
		Text string `json:"text"`
		Hint string `json:"hint"`
	}
	endEvent struct {
		stamp
		Reason string `json:"reason"` // signal, input, error
		Error  string `json:"error,omitempty"`
	}
)

func newLiveEvent(i flv.Info) *liveEvent {
	return &liveEvent{
		Codec: codecField{i.VideoCodec, i.AudioCodec, i.Width, i.Height, i.FrameRate},
		Title: i.Title,
	}
}

func newAttachedEvent(a relay.Attached) *attachedEvent {
	return &attachedEvent{Depth: a.Depth, Parent: a.Parent.ID.Tag(), ParentAddr: firstAddr(a.Parent)}
}
