package playback

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"relay/relay/lobby"
	"relay/relay/refusal"
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
	// hijacked. One more has another give way, as [lobby.Lobby] says.
	Most int
	// Own reports whether an address is of this machine's own networks. It may be nil.
	Own func(netip.Addr) bool
	// Cut is told why a connection was cut that no handler has refused. It may be nil.
	Cut func(refusal.Reason)
	Log *zap.Logger
}

// Run serves on ln, which it closes, until ctx ends, and then returns nil; before
// that it returns only if ln fails.
func (l *Listener) Run(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           http.HandlerFunc(l.serve),
		ReadHeaderTimeout: requestTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      AnswerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxRequestHeader,
		ConnState:         connState,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, guestKey{}, c)
		},
	}
	srv.ErrorLog, _ = zap.NewStdLogAt(l.Log, zap.DebugLevel) // fails for no known level
	defer srv.Close()
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	err := srv.Serve(&entrance{ln, lobby.New(l.Most, l.Own), l.Cut})
	if ctx.Err() != nil || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (l *Listener) serve(w http.ResponseWriter, r *http.Request) {
	if g, ok := r.Context().Value(guestKey{}).(*guest); ok {
		g.is(lobby.Served)
	}
	l.Handler.ServeHTTP(w, r)
}

// entrance makes guests of those who come.
type entrance struct {
	net.Listener
	lobby *lobby.Lobby
	cut   func(refusal.Reason)
}

func (e *entrance) Accept() (net.Conn, error) {
	conn, err := e.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newGuest(conn, e.lobby, e.cut), nil
}
