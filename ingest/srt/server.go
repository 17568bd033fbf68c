package srt

import (
	"context"
	"net"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"relay/relay/refusal"
)

const (
	// DefaultPort is where encoders connect to by default. SRT has none of its own; it is what other
	// servers have.
	DefaultPort = 8890
	// MinKey and MaxKey are how long a passphrase may be, in bytes (libsrt's SRTO_PASSPHRASE).
	MinKey, MaxKey = 10, 79
	// MinLatency is how long what comes is held, at least, so that what was lost can come again.
	MinLatency = 120 * time.Millisecond
	// MaxLatency bounds what the other side may ask for.
	MaxLatency = 8 * time.Second
	// Payload is how much is sent in a datagram, in bytes: seven packets of MPEG-TS.
	Payload = 1316
	// maxPlayers is how many players there may be, each of which has copies of its own of what it
	// has not acknowledged, up to maxUnsent.
	maxPlayers = 64
)

// Sink takes what an encoder sends.
type Sink interface {
	// Take takes what a datagram carried, which it does not keep. An error ends the connection.
	Take(payload []byte) error
	// Heard says when the newest datagram came: what is taken was held for the latency.
	Heard(at time.Time)
	// Flush says that nothing more is at hand.
	Flush()
	// Close ends it. It is called once.
	Close()
}

// Viewing is one stream for one player, who has a place among those it is played to.
type Viewing interface {
	// Play writes the stream to conn until it has ended, and then returns nil, or until something
	// else ends it, and then says what. It is called once, and gives the place back. When ctx ends it
	// may close conn; the cause is [net.ErrClosed] once the player has gone.
	Play(ctx context.Context, conn net.Conn, head []byte, said func() []byte) error
	// Leave gives the place back in place of Play.
	Leave()
}

// Server takes streams from encoders and gives streams to players, at one port.
type Server struct {
	Socket net.PacketConn // of UDP; closed when Run ends
	// Key is the passphrase of encoders, of MinKey to MaxKey bytes.
	Key string
	// Publish is asked for a sink when an encoder with the right passphrase wants to publish. It refuses
	// with [ErrBusy], and may take some time, until ctx ends. If nil, no encoder is taken, and who does
	// not say what it wants is a player.
	Publish func(ctx context.Context) (Sink, error)
	// Play is asked for a stream when a player at from wants one. It refuses with [ErrNoStream] or
	// another error. If nil, no player is served.
	Play func(from net.Addr, name string) (Viewing, error)
	// Refused is told why a caller was not taken, which may be noise. It is nil for nobody, and
	// called from many goroutines.
	Refused func(why error)
	// Refusals counts them, by reason; nil for nobody.
	Refusals *refusal.Counts
	// Own reports whether an address is of this machine's own networks, whose wrong passphrases
	// leave others a chance. It may be nil.
	Own func(netip.Addr) bool
	Log *zap.Logger // nil for none
}

func (s *Server) log() *zap.Logger {
	if s.Log == nil {
		return zap.NewNop()
	}
	return s.Log
}

// refuse notes why a caller is not taken, or was cut.
func (s *Server) refuse(why error, of refusal.Reason) {
	s.Refusals.Add(of)
	if s.Refused != nil {
		s.Refused(why)
	}
}
