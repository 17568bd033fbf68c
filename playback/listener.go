package playback

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

const (
	// requestTimeout is how long a request may take to arrive: loopback and LAN
	// need milliseconds.
	requestTimeout = 5 * time.Second
	// AnswerTimeout is how long it may take to make an answer that is not media and to
	// have it read.
	AnswerTimeout = 10 * time.Second
	// idleTimeout is how long a connection is kept for another request.
	idleTimeout = 30 * time.Second
	// maxRequestHeader bounds a request's header, in bytes.
	maxRequestHeader = 16 << 10
)

// Listener answers HTTP within the bounds that every listener of a node has.
type Listener struct {
	Handler http.Handler
	// Most is how many connections there may be, not counting those that a handler has
	// hijacked. One more is closed at once, and Over is called if it is not nil.
	Most int64
	Over func()
	Log  *zap.Logger

	conns atomic.Int64
}

// Run serves on ln, which it closes, until ctx ends, and then returns nil; before
// that it returns only if ln fails.
func (l *Listener) Run(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           l.Handler,
		ReadHeaderTimeout: requestTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      AnswerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxRequestHeader,
		ConnState:         l.count,
	}
	srv.ErrorLog, _ = zap.NewStdLogAt(l.Log, zap.DebugLevel) // fails for no known level
	defer srv.Close()
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	err := srv.Serve(ln)
	if ctx.Err() != nil || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (l *Listener) count(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if l.conns.Add(1) > l.Most {
			if l.Over != nil {
				l.Over()
			}
			conn.Close()
		}
	case http.StateClosed, http.StateHijacked:
		l.conns.Add(-1)
	}
}
