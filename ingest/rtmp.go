package ingest

import (
	"context"
	"errors"
	"net/url"

	"go.uber.org/zap"

	"relay/ingest/rtmp"
)

// OverRTMP lets publishers over RTMP begin sessions: it makes of open, which is asked
// with the app and the key of an encoder's address, what [rtmp.Server.Publish] wants.
// open refuses as an [Opener] does.
func OverRTMP(open func(ctx context.Context, app, key string) (*Session, error)) func(ctx context.Context, app, key string) (rtmp.Sink, error) {
	return func(ctx context.Context, app, key string) (rtmp.Sink, error) {
		session, err := open(ctx, app, key)
		switch {
		case errors.Is(err, ErrBusy):
			return nil, rtmp.ErrBusy
		case errors.Is(err, ErrDenied):
			return nil, rtmp.ErrDenied
		case err != nil:
			return nil, err
		}
		session.gathers = true
		return session, nil
	}
}

// RTMPPull fetches a live stream from an RTMP server and connects again when it
// breaks.
type RTMPPull struct {
	URL  *url.URL // as [rtmp.ParseTarget] takes it
	Open Opener
	Log  *zap.Logger // nil for none
}

// Run fetches until ctx ends, and then returns nil. That the first attempt brings
// nothing is an error; after that, broken connections are not.
func (r *RTMPPull) Run(ctx context.Context) error {
	t, err := rtmp.ParseTarget(r.URL)
	if err != nil {
		return err
	}
	p := pull{from: r.URL.Host, open: r.Open, log: logger(r.Log), fetch: t.Fetch}
	return p.run(ctx)
}
