package rtmp

import (
	"errors"
	"io"
	"net"
	"time"

	"relay/relay/lobby"
	"relay/relay/socket"
)

const (
	// strangerBytes is what may be read from a peer until its stream is agreed on,
	// in bytes. A real dialogue takes 4 to 6 KiB, of which the handshake is half.
	strangerBytes = 64 << 10
	// strangerTime bounds the whole of that dialogue.
	strangerTime = 5 * time.Second
	// silence is how long an encoder, or a server that plays, may send nothing before
	// its connection counts as broken. Encoders send audio many times a second.
	silence = 10 * time.Second
	// silenceStep is how much sooner that may be: to move a deadline has its price.
	silenceStep = time.Second
	// writeTime bounds one write. Only short replies are written.
	writeTime = 5 * time.Second
)

var (
	errStranger = errors.New("more than 64 KiB before the stream began")
	// errSlow says that [strangerTime] was over.
	errSlow = errors.New("the stream was not agreed on within 5 s")
	// errSilence says that a connection brought nothing for [silence].
	errSilence = errors.New("nothing came for 10 s")
)

// guard is a connection that does not trust its peer. At first both bytes and time
// are limited; then an encoder's silence is, or how much a player sends.
type guard struct {
	net.Conn
	in     io.Reader    // from the connection
	guest  *lobby.Guest // that it is as long as it is not known; nil for a server that is pulled from
	known  bool
	idle   func() // of an encoder's: called before each read; nil for nobody
	player bool
	left   int       // bytes that a stranger, or a player, may still send
	until  time.Time // when an encoder is silent, or a player may send as much again
}

func newGuard(c net.Conn, guest *lobby.Guest) *guard {
	c.SetDeadline(time.Now().Add(strangerTime)) // fails on a closed connection, as what comes next does
	return &guard{Conn: c, in: readerOf(c), guest: guest, left: strangerBytes}
}

// readerOf returns what reads from conn.
func readerOf(conn net.Conn) io.Reader {
	if s := socket.Of(conn); s != nil {
		return s
	}
	return conn
}

// trust lifts the limits for strangers.
func (g *guard) trust() { g.known = true }

// trustPlayer does so for a player, which may be silent for as long as it likes.
func (g *guard) trustPlayer() {
	g.known, g.player = true, true
	g.SetDeadline(time.Time{}) // fails on a closed connection, as what comes next does
}

func (g *guard) Read(p []byte) (int, error) {
	if g.player {
		return g.readPlayer(p)
	}
	if g.known {
		if g.idle != nil {
			g.idle()
		}
		if until := time.Now().Add(silence); until.Sub(g.until) >= silenceStep {
			g.until = until
			if err := g.SetReadDeadline(until); err != nil {
				return 0, err
			}
		}
		return g.in.Read(p)
	}
	if g.left == 0 {
		return 0, errStranger
	}
	n, err := g.in.Read(p[:min(len(p), g.left)])
	g.left -= n
	if n > 0 && g.guest != nil {
		g.guest.Is(lobby.Spoken)
	}
	return n, g.slow(err)
}

func (g *guard) readPlayer(p []byte) (int, error) {
	if now := time.Now(); !now.Before(g.until) {
		g.left, g.until = playerBytes, now.Add(playerTime)
	}
	if g.left == 0 {
		return 0, errSaidTooMuch
	}
	n, err := g.in.Read(p[:min(len(p), g.left)])
	g.left -= n
	return n, err
}

func (g *guard) Write(p []byte) (int, error) {
	if g.known {
		if err := g.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
			return 0, err
		}
		return g.Conn.Write(p)
	}
	n, err := g.Conn.Write(p)
	return n, g.slow(err)
}

// slow puts a stranger's timeout into words.
func (g *guard) slow(err error) error {
	switch {
	case !isTimeout(err):
		return err
	case g.guest != nil && g.guest.State() == lobby.Silent:
		return errSilent
	}
	return errSlow
}
