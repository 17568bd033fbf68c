package pcpin

import (
	"bytes"
	"slices"

	"relay/ingest/flv"
)

// Sink is one session of tags. What Write is given is its caller's again when it returns.
type Sink interface {
	Write(t flv.Tag) error
	Flush() // nothing that was written waits for more
	Close()
}

// ownError is an error of this side, which no other host cures.
type ownError struct{ error }

func (e ownError) Unwrap() error { return e.error }

// out is where tags go: a session from the first tag of a stream to its last, with the channel's
// title in its metadata. Its zero value but for open is ready. It belongs to one goroutine.
type out struct {
	open   func() (Sink, error)
	sink   Sink // nil between sessions
	title  string
	body   []byte // of the newest onMetaData, as it came; nil before
	newest uint32 // timestamp
	tags   uint64
}

// write takes a stream's next tag.
func (o *out) write(t flv.Tag) error {
	if o.sink == nil {
		sink, err := o.open()
		if err != nil {
			return ownError{err}
		}
		o.sink, o.body, o.newest = sink, nil, t.Timestamp()
	}
	switch {
	case t.Type() == flv.Script && flv.IsMetadata(t.Body()):
		o.body = slices.Clone(t.Body()[:min(len(t.Body()), flv.MaxScript)])
		t = flv.NewTag(flv.Script, t.Timestamp(), o.titled())
	case o.body == nil && o.title != "":
		o.body = []byte{}
		if err := o.pass(flv.NewTag(flv.Script, t.Timestamp(), o.titled())); err != nil {
			return err
		}
	}
	if t.Type() != flv.Script {
		o.newest = t.Timestamp()
	}
	o.tags++
	return o.pass(t)
}

func (o *out) pass(t flv.Tag) error {
	if err := o.sink.Write(t); err != nil {
		return ownError{err}
	}
	return nil
}

// titled is the newest onMetaData with the channel's title.
func (o *out) titled() []byte {
	if m, ok := flv.ParseMetadata(o.body); o.title == "" || ok && m.Title == o.title {
		return bytes.Clone(o.body)
	}
	return flv.SetTitle(o.body, o.title)
}

// rename gives the channel another title, which viewers learn of at once.
func (o *out) rename(title string) error {
	if title == o.title {
		return nil
	}
	if o.title = title; o.sink == nil || o.body == nil || title == "" {
		return nil
	}
	return o.pass(flv.NewTag(flv.Script, o.newest, o.titled()))
}

// restart ends the session: what follows is another stream.
func (o *out) restart() { o.close() }

func (o *out) flush() {
	if o.sink != nil {
		o.sink.Flush()
	}
}

func (o *out) close() {
	if o.sink != nil {
		o.sink.Close()
		o.sink = nil
	}
}
