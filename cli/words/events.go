package words

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/playback"
	"relay/playback/api"
	"relay/relay/stream"
)

// StatusEvery is the time between two status events.
const StatusEvery = 5 * time.Second

// LastWrite is how long the reader of standard output, or the disk, may take for the last
// writes when the command ends.
const LastWrite = time.Second

// Events writes what happens as JSON for programs, one object per line: the station's events
// and the command's own. A nil Events writes nothing. It is safe for concurrent use. Its
// methods do not block, because a reader that stops must not stop the stream. Such a reader
// learns how many events it has missed.
type Events struct {
	told playback.Events
	done chan struct{} // closed when the last one is written
}

// NewEvents returns an Events that writes to w until End.
func NewEvents(w io.Writer) *Events {
	e := &Events{done: make(chan struct{})}
	r, err := e.told.Follow(0)
	if err != nil {
		panic(err) // cannot happen: it is the first reader
	}
	go func() { // ends with End, or with the process if w blocks
		defer close(e.done)
		defer r.Close()
		WriteEvents(context.Background(), r, w)
	}()
	return e
}

// WriteEvents writes what r reads, a line for each event. It returns after the last event, when
// a write fails, or when ctx has ended and all events told until then are written.
func WriteEvents(ctx context.Context, r *playback.EventReader, w io.Writer) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	missed := uint64(0)
	for {
		e, wait := r.Next()
		if wait != nil {
			select {
			case <-wait:
				continue
			case <-ctx.Done():
			}
			// One may have been told between the look and the end.
			if e, wait = r.Next(); wait != nil {
				return
			}
		}
		e.Missed, missed = missed, 0
		if e.Type == api.EventMissed {
			missed = e.Count
		}
		if enc.Encode(e) != nil || e.Type == api.EventEnd {
			return
		}
	}
}

// Tell adds an event.
func (e *Events) Tell(v api.Event) {
	if e != nil {
		e.told.Tell(v)
	}
}

// Start adds the first event of a channel. The station's events come after it.
func (e *Events) Start(id stream.ChannelID, node string, s api.Start, station *playback.Events) {
	if e == nil {
		return
	}
	e.Tell(api.Event{Type: api.EventStart, Channel: id.String(), Name: id.Short(), Node: node, Start: &s})
	station.Forward(&e.told)
}

// End adds the last event. It waits until everything is written, but no longer than LastWrite.
// ctx is the command's.
func (e *Events) End(ctx context.Context, err error) {
	if e == nil {
		return
	}
	v := api.Event{Type: api.EventEnd, Reason: "input"}
	switch {
	case err != nil:
		v.Reason, v.Error = "error", term.Clean(fault.Plain(err))
	case ctx.Err() != nil:
		v.Reason = "signal"
	}
	e.Tell(v)
	select {
	case <-e.done:
	case <-time.After(LastWrite):
	}
}
