package rtmp

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"sync"

	"relay/ingest/flv"
)

const (
	testApp = "live"
	testKey = "s3cret"
)

var errReplaced = errors.New("replaced")

// inbox takes one publisher at a time and keeps the tags that it sends.
type inbox struct {
	accepted chan flv.Tag

	mu     sync.Mutex
	sink   *inboxSink // of the publisher that is sending, nil while there is none
	header flv.Header
}

// inboxSink takes what one publisher sends to an inbox.
type inboxSink struct{ to *inbox }

func newInbox() *inbox { return &inbox{accepted: make(chan flv.Tag, 10_000)} }

// Publish is for a Server.
func (b *inbox) Publish(_ context.Context, app, key string) (Sink, error) {
	if app != testApp || key != testKey {
		return nil, ErrDenied
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sink != nil {
		return nil, ErrBusy
	}
	b.sink = &inboxSink{b}
	return b.sink, nil
}

// busy reports whether a publisher has not been closed yet.
func (b *inbox) busy() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sink != nil
}

// info is what the configurations of all that was sent tell.
func (b *inbox) info() flv.Info {
	b.mu.Lock()
	defer b.mu.Unlock()
	return flv.Describe(b.header.Payload())
}

// taken returns what was accepted and not looked at yet, up to the end of the
// publisher, which it waits for.
func (b *inbox) taken() iter.Seq[flv.Tag] {
	return func(yield func(flv.Tag) bool) {
		for {
			select {
			case tag := <-b.accepted:
				if !yield(tag) {
					return
				}
				continue
			default:
			}
			if !b.busy() && len(b.accepted) == 0 {
				return
			}
			runtime.Gosched()
		}
	}
}

func (s *inboxSink) Write(t flv.Tag) error {
	s.to.mu.Lock()
	defer s.to.mu.Unlock()
	if s.to.sink != s {
		return errReplaced
	}
	s.to.header.Add(t, flv.Classify(t))
	s.to.accepted <- slices.Clone(t)
	return nil
}

func (s *inboxSink) Flush() {}

func (s *inboxSink) Close() {
	s.to.mu.Lock()
	defer s.to.mu.Unlock()
	if s.to.sink == s {
		s.to.sink = nil
	}
}

func video(ts uint32, body string) flv.Tag { return flv.NewTag(flv.Video, ts, []byte(body)) }
func audio(ts uint32, body string) flv.Tag { return flv.NewTag(flv.Audio, ts, []byte(body)) }

const (
	avcConfig = "\x17\x00\x00\x00\x00avcC"
	avcKey    = "\x17\x01\x00\x00\x00key"
	aacConfig = "\xaf\x00\x12\x10"
	aacFrame  = "\xaf\x01frame"
)
