package rtspout

import (
	"context"
	"net"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"relay/playback"
	"relay/relay/lobby"
	"relay/relay/refusal"
)

// DefaultPort is where players look who are told of none but that it is not that of a service (554): what other programs
// that serve RTSP take.
const DefaultPort = 8554

const (
	// strangers is how many connections may be there that do not play. Each costs [bufferSize] and what it
	// has set up, and one more has another give way.
	strangers = 128
	// strangerTime bounds the dialogue until a player plays, strangerBytes what it may say in it, and
	// strangerAsks how often it may ask.
	strangerTime, strangerBytes, strangerAsks = 5 * time.Second, 64 << 10, 32
	// writeTime bounds the writing of an answer.
	writeTime = 5 * time.Second
)

// Config is what a [Server] needs. Players is required.
type Config struct {
	Players *playback.Server
	// Own says whether an address is of this machine's own networks: these give way last. It may be
	// nil, and must be safe for concurrent use.
	Own func(netip.Addr) bool
	Log *zap.Logger // nil for none
}

// Server serves players.
type Server struct {
	config  Config
	lobby   *lobby.Lobby
	refused refusal.Counts
}

// New returns a server for one [Server.Run].
func New(c Config) *Server {
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return &Server{config: c, lobby: lobby.New(strangers, c.Own)}
}

// Refused counts those that were not served.
func (s *Server) Refused() map[refusal.Reason]uint64 { return s.refused.All(Refusals...) }

// Run accepts connections on ln, which it closes, until ctx ends, and then returns nil. It waits for what
// it has accepted.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	failed := func(err error) { s.config.Log.Warn("accept failed", zap.Error(err)) }
	return lobby.Accept(ctx, ln, failed, s.serve)
}

// serve owns conn.
func (s *Server) serve(ctx context.Context, conn net.Conn) {
	guest := s.lobby.Enter(conn)
	defer guest.Leave()
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	p := newPlayer(s, conn, guest)
	defer p.close()
	err := p.talk()
	if err == nil {
		guest.Leave()
		err = p.play(ctx)
		s.config.Log.Debug("player over RTSP has gone", zap.Stringer("addr", conn.RemoteAddr()), zap.Error(err))
		return
	}
	why := refusalOf(err)
	switch {
	case guest.Turned():
		why = RefusedCrowd
	case why == RefusedSlow && guest.State() == lobby.Silent:
		why = RefusedSilent
	}
	if why != "" {
		s.refused.Add(why)
	}
	s.config.Log.Debug("RTSP connection not taken", zap.Stringer("addr", conn.RemoteAddr()), zap.String("reason", string(why)))
	if why != RefusedCrowd {
		p.linger(err)
	}
}
