package ingest

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"relay/ingest/flv"
)

const (
	// backoffFirst and backoffMost bound the pause before an attempt to connect
	// again: short enough to go on at once after a hiccup, long enough not to
	// hammer a server that is down.
	backoffFirst = 500 * time.Millisecond
	backoffMost  = 10 * time.Second
)

// pull is what RTMPPull and HTTPPull have in common: to connect again and again.
type pull struct {
	from string // for the log: no credentials
	open Opener
	log  *zap.Logger
	// fetch connects, hands over each tag, and returns why it stopped, never nil.
	fetch func(ctx context.Context, take func(flv.Tag) error) error
}

// fatal wraps an error of this side, which connecting again does not cure.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

// run fetches until ctx ends, and then returns nil. If the first attempt brings no
// tag, its error is returned: the address is wrong or nobody sends there. Once it
// has worked, a broken connection is connected again for as long as it takes.
func (p *pull) run(ctx context.Context) error {
	worked, backoff := false, backoffFirst
	for {
		got, err := p.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if f, ok := errors.AsType[fatal](err); ok {
			return f.error
		}
		if !got && !worked {
			return err
		}
		if got {
			worked, backoff = true, backoffFirst
			p.log.Warn("stream lost, connecting again", zap.String("from", p.from), zap.Error(err))
		}
		pause := backoff/2 + rand.N(backoff)
		if sleep(ctx, pause) != nil {
			return nil
		}
		backoff = min(2*backoff, backoffMost)
	}
}

// once is one connection, and one session from its first tag on.
func (p *pull) once(ctx context.Context) (got bool, err error) {
	var session *Session
	err = p.fetch(ctx, func(t flv.Tag) error {
		if session == nil {
			s, err := p.open()
			if err != nil {
				return fatal{err}
			}
			session, got = s, true
			p.log.Info("stream comes in", zap.String("from", p.from))
		}
		if err := session.Write(t); err != nil {
			return fatal{err}
		}
		return nil
	})
	if session != nil {
		session.Close()
	}
	return got, err
}
