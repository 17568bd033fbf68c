package playback

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"relay/playback/api"
)

const (
	// heartbeatEvery is the longest that a reader of events hears nothing: proxies and
	// browsers give up on a silent connection after a minute or less.
	heartbeatEvery = 15 * time.Second
	// eventPatience is how long a reader may go without taking anything it is sent.
	eventPatience = 10 * time.Second
)

// ServeEvents answers with events as they happen, as Server-Sent Events
// (html.spec.whatwg.org/multipage/server-sent-events.html): "event:" is the type,
// "id:" the number, "data:" the [api.Event] in JSON. It begins with the next event, or
// behind the one that the header Last-Event-ID or the parameter since names, as far as
// events are held. A reader that does not keep up is told how many events it missed; one
// that takes nothing for 10 s is cut. ServeEvents returns when the reader or ctx is gone.
// Unless full is set, it leaves out what only the node's operator may know.
func (s *Events) ServeEvents(ctx context.Context, w http.ResponseWriter, r *http.Request, full bool) {
	after := s.Head()
	for _, text := range []string{r.URL.Query().Get("since"), r.Header.Get("Last-Event-ID")} {
		if text == "" {
			continue
		}
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			http.Error(w, "The number to begin after is no number: leave it out, or give the id of an event.", http.StatusBadRequest)
			return
		}
		after = n
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would wait for more
	if r.Method == http.MethodHead {
		return
	}
	reader, err := s.Follow(after)
	if err != nil {
		h.Set("Content-Type", textType)
		http.Error(w, "As many programs and pages as may follow the events do so already. Close one, or try again later.", http.StatusServiceUnavailable)
		return
	}
	defer reader.Close()
	out := eventWriter{w, http.NewResponseController(w)}
	if out.begin() != nil {
		return
	}
	heartbeat := time.NewTicker(heartbeatEvery)
	defer heartbeat.Stop()
	for {
		e, wait := reader.Next()
		if wait == nil {
			if !full {
				if e.Type == api.EventFollowed {
					continue // whom the user follows is nobody's business
				}
				e = e.Public()
			}
			if out.event(e) != nil {
				return
			}
			continue
		}
		select {
		case <-wait:
		case <-heartbeat.C:
			if out.comment("still here") != nil {
				return
			}
		case <-r.Context().Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

// eventWriter writes Server-Sent Events, each within eventPatience.
type eventWriter struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// begin sends the head of the answer. The listener's own deadlines are for answers
// that end.
func (o eventWriter) begin() error {
	if err := o.rc.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	return o.comment("events of this node")
}

func (o eventWriter) comment(text string) error { return o.send(": " + text + "\n\n") }

func (o eventWriter) event(e api.Event) error {
	data, err := json.Marshal(e) // never has a line break in it
	if err != nil {
		return err
	}
	id := ""
	if e.Seq > 0 {
		id = fmt.Sprintf("id: %d\n", e.Seq)
	}
	return o.send(fmt.Sprintf("%sevent: %s\ndata: %s\n\n", id, e.Type, data))
}

func (o eventWriter) send(text string) error {
	if err := o.rc.SetWriteDeadline(time.Now().Add(eventPatience)); err != nil {
		return err
	}
	if _, err := o.w.Write([]byte(text)); err != nil {
		return err
	}
	return o.rc.Flush()
}
