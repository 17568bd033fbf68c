package ingest

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"relay/ingest/flv"
	"relay/ingest/srt"
)

// OverSRT lets encoders over SRT begin sessions: it makes of open what [srt.Server.Publish] wants. open
// refuses as [Input.Await] does.
func OverSRT(open func(ctx context.Context) (*Session, error), log *zap.Logger) func(context.Context) (srt.Sink, error) {
	return func(ctx context.Context) (srt.Sink, error) {
		session, err := open(ctx)
		if errors.Is(err, ErrBusy) {
			return nil, srt.ErrBusy
		}
		if err != nil {
			return nil, err
		}
		session.gathers, session.held = true, true
		return &srtSink{payloads: newPayloads(newOrigin("SRT", 0, log)), session: session}, nil
	}
}

// srtSink makes tags of what an encoder sends.
type srtSink struct {
	*payloads
	session *Session
}

// Take takes a datagram's payload.
func (s *srtSink) Take(b []byte) error { return s.take(b, s.session.Write) }

// Heard says when the newest of it came.
func (s *srtSink) Heard(at time.Time) { s.session.Heard(at) }

// Flush lets nothing wait for what comes next.
func (s *srtSink) Flush() { s.session.Flush() }

// Close ends the session, with what there is of a unit that nothing follows.
func (s *srtSink) Close() {
	tags, _ := s.demux.Flush() // what is wrong with it nobody can mend any more
	for _, t := range tags {
		if s.session.Write(t) != nil {
			break
		}
	}
	s.session.Close()
	s.count(s.demux.Stats())
}

// SRTPull fetches a live stream of MPEG-TS from an SRT server and connects again when it breaks.
type SRTPull struct {
	Target srt.Target
	Open   Opener
	Log    *zap.Logger // nil for none
}

// Run fetches until ctx ends, and then returns nil. That the first attempt brings
// nothing is an error; after that, broken connections are not.
func (s *SRTPull) Run(ctx context.Context) error {
	from := newOrigin(s.Target.Addr, s.Target.Program, s.Log)
	p := pull{from: s.Target.Addr, open: s.Open, log: logger(s.Log), fetch: func(ctx context.Context, take func(flv.Tag) error) error {
		in := newPayloads(from)
		defer func() { in.count(in.demux.Stats()) }()
		return s.Target.Fetch(ctx, func(b []byte) error { return in.take(b, take) })
	}}
	return p.run(ctx)
}
