package playback

import (
	"sync/atomic"

	"relay/ingest/flv"
	"relay/playback/api"
	"relay/playback/provenance"
	"relay/relay/stream"
)

// recording follows a stream that says that it is a recording of a channel, and checks that. All but found belongs to
// whoever calls [Channel.CheckRecording].
type recording struct {
	header  *stream.Header // the newest that was looked at
	of      stream.ChannelID
	checker *provenance.Checker // nil while the stream says nothing of the kind
	cursor  *stream.Cursor
	tags    assembler
	begins  *stream.Header // of the chunks that were read
	found   atomic.Pointer[api.Recorded]
}

// CheckRecording checks what has come since it was called before, and returns what was found: nil where the stream does
// not say that it is a recording, which costs nothing. One goroutine calls it, several times a second.
func (c *Channel) CheckRecording() *api.Recorded {
	r := &c.recording
	if h := c.ring.Header(); h != nil && h != r.header {
		r.header = h
		r.turn(c.ring, h)
	}
	if r.checker == nil {
		return nil
	}
	for {
		it, wait, err := r.cursor.Poll()
		if wait != nil || err != nil {
			break
		}
		r.add(it)
	}
	found, of := r.checker.Report(), r.of
	now := &api.Recorded{Of: of.String(), Name: of.Short(), Proved: found.Proved, Unproved: found.Unproved}
	if !found.Made.IsZero() {
		now.MadeMs = found.Made.UnixMilli()
	}
	r.found.Store(now)
	return now
}

// turn begins anew if a header says otherwise whose recording it is.
func (r *recording) turn(ring *stream.Ring, h *stream.Header) {
	of, err := stream.ParseChannelID(flv.Describe(h.Payload()).Recording)
	switch {
	case err != nil:
		r.checker, r.cursor = nil, nil
		r.found.Store(nil)
	case r.checker == nil || of != r.of:
		r.of, r.checker, r.cursor, r.begins = of, provenance.NewChecker(of), ring.Cursor(), nil
		r.tags = assembler{asSigned: true}
	}
}

func (r *recording) add(it stream.Item) {
	if it.Jump {
		r.tags.cut()
		r.checker.Gap()
	}
	if it.Header != r.begins {
		r.begins = it.Header
		r.checker.Header(it.Header.Payload())
	}
	r.tags.add(it.Chunk)
	for t := range r.tags.ready().Tags() {
		r.checker.Add(t)
	}
	r.tags.drop()
}
