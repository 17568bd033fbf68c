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
// title and texts in its metadata. Its zero value but for open is ready. It belongs to one goroutine.
type out struct {
	open   func() (Sink, error)
	sink   Sink // nil between sessions
	title  string
	says   flv.Texts
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
	case o.body == nil && (o.title != "" || o.says != flv.Texts{}):
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

// titled is the newest onMetaData with the channel's title and texts. What the channel does not say stays as it came.
func (o *out) titled() []byte {
	body := flv.SetTexts(bytes.Clone(o.body), o.says)
	if m, ok := flv.ParseMetadata(body); o.title == "" || ok && m.Title == o.title {
		return body
	}
	return flv.SetTitle(body, o.title)
}

// describe gives the channel another title and other texts, which viewers and lists learn of at once.
func (o *out) describe(title string, says flv.Texts) error {
	if title == o.title && says == o.says {
		return nil
	}
	o.title, o.says = title, says
	if o.sink == nil || o.body == nil {
		return nil
	}
	body := o.titled()
	if len(body) == 0 {
		return nil // there is nothing left to say
	}
	return o.pass(flv.NewTag(flv.Script, o.newest, body))
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
