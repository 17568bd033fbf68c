package rtspout

import (
	"bufio"
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"relay/playback"
	"relay/playback/remux"
	"relay/relay/lobby"
)

const (
	// playerBytes is what a player that plays may send in playerTime, in bytes: a report every few seconds for each
	// track, and now and then that it is still there.
	playerBytes = 64 << 10
	playerTime  = time.Minute
	// repliesMost bounds the answers that wait to be written, in bytes.
	repliesMost = 4 << 10
	// sessionTime is what a player is told of how often it has to be heard of, in seconds, and goneAfter how long
	// one by UDP, whose connection says nothing, is sent to that is not.
	sessionTime = 60
	goneAfter   = 90 * time.Second
	// lingerTime is how long one that is refused has to read why.
	lingerTime = time.Second
)

// player is a connection.
type player struct {
	server *Server
	conn   net.Conn
	guest  *lobby.Guest
	in     bounded
	r      *bufio.Reader

	session string
	asked   place     // what it was told of, or has set up
	sdp     remux.SDP // of that
	setUp   [2]bool
	first   int // the track that was set up first
	udp     *datagrams

	viewing *playback.Admission
	answer  []byte // to PLAY

	mu      sync.Mutex
	replies []byte
	heard   time.Time
}

// bounded bounds what is read.
type bounded struct {
	net.Conn
	guest *lobby.Guest
	left  int
	until time.Time // when a player may send as much again; zero for a stranger, which may not
}

func (b *bounded) Read(p []byte) (int, error) {
	if now := time.Now(); !b.until.IsZero() && !now.Before(b.until) {
		b.left, b.until = playerBytes, now.Add(playerTime)
	}
	if b.left == 0 {
		return 0, errSaidTooMuch
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	if n > 0 && b.until.IsZero() {
		b.guest.Is(lobby.Spoken)
	}
	return n, err
}

func newPlayer(s *Server, conn net.Conn, guest *lobby.Guest) *player {
	p := &player{server: s, conn: conn, guest: guest}
	p.in = bounded{Conn: conn, guest: guest, left: strangerBytes}
	p.r = bufio.NewReaderSize(&p.in, bufferSize)
	return p
}

func (p *player) close() {
	if p.udp != nil {
		p.udp.close()
	}
}

// play plays until the player leaves or the stream ends, and returns why it left.
func (p *player) play(ctx context.Context) error {
	p.conn.SetDeadline(time.Time{})
	p.in.left, p.in.until = playerBytes, time.Now().Add(playerTime)
	p.heard = time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p.viewing.Last = func(why error) []byte {
		if errors.Is(why, errTornDown) {
			return p.take()
		}
		return nil
	}
	conn := p.conn
	var listening sync.WaitGroup
	defer listening.Wait()
	listening.Go(func() { cancel(p.listen()) }) // ends when conn does
	defer p.conn.Close()
	if p.udp != nil {
		conn = p.udp
		p.udp.listen(&listening, p.hear) // end with its sockets, which are closed
		defer p.udp.close()
		listening.Go(func() { p.watch(ctx, cancel) }) // ends with ctx
		defer cancel(nil)
	}
	err := p.viewing.Play(ctx, conn, p.answer, p.take)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if c, ok := p.conn.(interface{ CloseWrite() error }); ok && err == nil { // it reads the end before the connection goes
		c.CloseWrite()
		p.conn.SetReadDeadline(time.Now().Add(lingerTime))
		<-ctx.Done()
	}
	return err
}

// watch ends a player by UDP of which nothing is heard.
func (p *player) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	look := time.NewTicker(goneAfter / 9)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-look.C:
			p.mu.Lock()
			heard := p.heard
			p.mu.Unlock()
			if now.Sub(heard) > goneAfter {
				cancel(errGone)
				return
			}
		}
	}
}

// hear notes that the player is there.
func (p *player) hear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = time.Now()
}

// take returns the answers that wait.
func (p *player) take() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.replies
	p.replies = nil
	return b
}

// listen reads what the player says while it plays, and returns why it ends: net.ErrClosed once it has gone.
func (p *player) listen() error {
	for {
		q, err := next(p.r)
		if err != nil {
			if refusalOf(err) == RefusedGarbage {
				return err
			}
			return net.ErrClosed
		}
		p.hear()
		var answer []byte
		switch q.method {
		case "OPTIONS", "GET_PARAMETER", "SET_PARAMETER":
			answer = p.said(q, ok, publics, nil)
		case "PLAY":
			answer = p.said(q, ok, "Range: npt=now-\r\n", nil)
		case "PAUSE":
			answer = p.said(q, noPause, "", nil)
		case "TEARDOWN":
			answer = p.said(q, ok, "", nil)
		default:
			answer = p.said(q, "455 Method Not Valid in This State", "", nil)
		}
		if p.udp != nil && q.method != "TEARDOWN" {
			if p.write(answer) != nil { // nothing else is written there
				return net.ErrClosed
			}
			continue
		}
		p.mu.Lock()
		p.replies = append(p.replies, answer...)
		waits := len(p.replies)
		p.mu.Unlock()
		switch {
		case q.method == "TEARDOWN":
			return errTornDown
		case waits > repliesMost:
			return errSaidTooMuch
		}
	}
}
