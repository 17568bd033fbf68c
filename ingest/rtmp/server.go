package rtmp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"go.uber.org/zap"

	"relay/relay/lobby"
	"relay/relay/refusal"
)

const (
	// strangers is how many connections may be in their dialogue at a time. Each costs
	// [strangerBytes] at most, and one more has another give way.
	strangers = 256
	// lingerTime is how long a refused peer has to read why and close.
	lingerTime = time.Second
)

// Server takes streams from encoders that publish over RTMP, and plays streams to
// players that ask for them.
type Server struct {
	Listener net.Listener // closed when Run ends
	// Publish is asked for a sink when an encoder wants to publish. app is the path of
	// its address without the last part, which is key; a query is part of neither. It
	// refuses with [ErrDenied] or [ErrBusy]; the encoder then sees the RTMP status for it.
	// It may take some time, until ctx ends. If nil, no encoder is taken.
	Publish func(ctx context.Context, app, key string) (Sink, error)
	// Play is asked for a stream when a player at from wants one. app and name are as
	// for Publish; what follows a question mark in name is the player's wishes. It
	// refuses with [ErrNoStream] or another error, whose text the player sees. If nil,
	// no player is served.
	Play func(from net.Addr, app, name string) (Viewing, error)
	// Refused is told why a peer was not taken, which may be noise. It is nil for nobody, and
	// called from many goroutines.
	Refused func(why error)
	// Refusals counts them, by reason; nil for nobody.
	Refusals *refusal.Counts
	// Own reports whether an address is of this machine's own networks: these give way last. It
	// may be nil.
	Own func(netip.Addr) bool
	Log *zap.Logger // nil for none
}

// Run serves until ctx ends, and then returns nil, with every connection closed.
// Any other end of the listener is an error.
func (s *Server) Run(ctx context.Context) error {
	strange := lobby.New(strangers, s.Own)
	failed := func(err error) { s.log().Warn("accept failed", zap.Error(err)) }
	return lobby.Accept(ctx, s.Listener, failed, func(ctx context.Context, conn net.Conn) {
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		s.serve(ctx, conn, strange.Enter(conn))
	})
}

func (s *Server) log() *zap.Logger {
	if s.Log == nil {
		return zap.NewNop()
	}
	return s.Log
}

// serve owns conn, which ends with ctx. Its peer is a guest until it is no stranger any more, or
// gone.
func (s *Server) serve(ctx context.Context, conn net.Conn, guest *lobby.Guest) {
	defer guest.Leave()
	defer conn.Close()
	log := s.log().With(zap.String("addr", conn.RemoteAddr().String()))
	g := newGuard(conn, guest)
	p, err := s.accept(ctx, g)
	if err != nil {
		if guest.Turned() {
			err = errCrowd
		}
		log.Info("RTMP connection not taken", zap.String("reason", printable(err.Error())))
		if why := refusalOf(err); why != "" {
			s.Refusals.Add(why)
		}
		if s.Refused != nil {
			s.Refused(err)
		}
		if p != nil || errors.Is(err, ErrHTTP) {
			linger(conn)
		}
		return
	}
	if p.viewing != nil {
		g.trustPlayer()
		guest.Leave()
		err := p.view(ctx, conn)
		if err == nil {
			linger(conn)
		}
		log.Debug("player has gone", zap.String("software", printable(p.software)), zap.String("reason", reason(err)))
		return
	}
	defer p.sink.Close()
	g.trust()
	g.idle = p.sink.Flush
	guest.Leave()
	log.Info("encoder is sending", zap.String("software", printable(p.software)))
	err = p.receive()
	if err == nil {
		p.sink.Close() // free for the next encoder at once
		linger(conn)
	}
	log.Info("encoder has gone", zap.String("reason", reason(err)))
}

// reason says why a connection ended, for the log.
func reason(err error) string {
	switch {
	case err == nil:
		return "it stopped"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it closed the connection"
	case isTimeout(err):
		return errSilence.Error()
	}
	return printable(err.Error())
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// isReset reports whether the peer has broken the connection off, or it was closed here.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

// linger lets the peer read what was written last: closing with unread input would
// reset the connection and throw that away.
func linger(conn net.Conn) {
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	}
	conn.SetDeadline(time.Now().Add(lingerTime))
	io.Copy(io.Discard, io.LimitReader(conn, strangerBytes))
}
