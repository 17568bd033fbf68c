package cli

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/term"
	"relay/playback"
	"relay/playback/api"
	"relay/relay/stream"
)

// statusEvery is how often there is a status event.
const statusEvery = 5 * time.Second

// events writes what happens as JSON, one object on a line, for programs: what the station
// tells, and what the command tells of itself. A nil one writes nothing. It is safe for
// concurrent use, and its methods do not block: a reader that stops must not stop the
// stream, and learns how much it missed.
type events struct {
	told playback.Events
	done chan struct{} // closed when the last one is written
}

// jsonEvents returns what --json asks for.
func jsonEvents(c *cli.Context, stdio Stdio) *events {
	if !c.Bool("json") {
		return nil
	}
	return newEvents(stdio.Out)
}

// newEvents returns one that writes to w until end.
func newEvents(w io.Writer) *events {
	e := &events{done: make(chan struct{})}
	r, err := e.told.Follow(0)
	if err != nil {
		panic(err) // it is the first reader
	}
	go func() { // ends with end, or with the process if w blocks
		defer close(e.done)
		defer r.Close()
		writeEvents(context.Background(), r, w)
	}()
	return e
}

// writeEvents writes what r reads, a line for each event, until the event that is the last,
// until nobody takes them, or until ctx ends.
func writeEvents(ctx context.Context, r *playback.EventReader, w io.Writer) {
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

// tell adds an event.
func (e *events) tell(v api.Event) {
	if e != nil {
		e.told.Tell(v)
	}
}

// start is the first event of a channel. What the station tells comes after it.
func (e *events) start(id stream.ChannelID, node string, s api.Start, station *playback.Events) {
	if e == nil {
		return
	}
	e.tell(api.Event{Type: api.EventStart, Channel: id.String(), Name: id.Short(), Node: node, Start: &s})
	station.Forward(&e.told)
}

// end is the last event. It waits until all is written, for lastWrite at most. The context
// is the command's.
func (e *events) end(ctx context.Context, err error) {
	if e == nil {
		return
	}
	v := api.Event{Type: api.EventEnd, Reason: "input"}
	switch {
	case err != nil:
		v.Reason, v.Error = "error", term.Clean(err.Error())
	case ctx.Err() != nil:
		v.Reason = "signal"
	}
	e.tell(v)
	select {
	case <-e.done:
	case <-time.After(lastWrite):
	}
}
