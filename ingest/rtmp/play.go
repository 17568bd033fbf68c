package rtmp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	// playerBytes is what a player may send in [playerTime], in bytes: it
	// acknowledges every 2.5 MB, and has little else to say.
	playerBytes = 64 << 10
	playerTime  = time.Minute
)

var (
	// ErrNoStream refuses a player that asks for what is not there; see [Server.Play].
	ErrNoStream = errors.New("there is no such stream")

	errPlay        = errors.New("it asked to play")
	errSaidTooMuch = errors.New("it sends more than a player has to say")
	errStopped     = errors.New("it stopped")
)

// Viewing is one stream for one player, who has a place among those it is played to.
type Viewing interface {
	// Play plays the stream until it has ended, and then returns nil, or until something
	// else ends it, and then says what. It is called once, and gives the place back.
	//
	// It writes head to conn, and after that what a [Container] makes of the stream's tags, which
	// all players share. What said returns, if that is anything, it writes in between, after
	// whole messages, as soon as there are more: answers to what the player asks. said is cheap
	// and may be called by any goroutine. Play never reads from conn. When ctx ends it may close conn, to end a write of its
	// own; the cause is [net.ErrClosed] once the player has gone.
	Play(ctx context.Context, conn net.Conn, head []byte, said func() []byte) error
}

// play asks for a stream and answers.
func (s *Server) play(p *peer, from net.Addr, app, name string) error {
	if s.Play == nil {
		return errors.Join(errPlay, p.status("error", "NetStream.Play.StreamNotFound",
			"This address takes a stream from an encoder; it does not play one."))
	}
	app, name, query := streamPath(app, name)
	if name == "" {
		app, name = "", app // an address of one part
	}
	if query != "" {
		name += "?" + query
	}
	// The head is made before the stream is asked for: who has a place must be played to.
	replies := &replies{}
	head, err := p.playHead(replies)
	if err != nil {
		return err
	}
	viewing, err := s.Play(from, app, name)
	if err != nil {
		code := "NetStream.Play.Failed"
		if errors.Is(err, ErrNoStream) {
			code = "NetStream.Play.StreamNotFound"
		}
		return errors.Join(fmt.Errorf("%w %q: %w", errPlay, printable(name), err), p.status("error", code, err.Error()))
	}
	p.divert(replies)
	p.viewing, p.head, p.replies = viewing, head, replies
	return nil
}

// playHead is what goes in front of a player's media. r is empty before and after.
func (p *peer) playHead(r *replies) ([]byte, error) {
	c := &connection{}
	c.divert(r)
	size := binary.BigEndian.AppendUint32(nil, playChunk)
	err := errors.Join(
		c.control(msgSetChunkSize, size),
		c.event(eventStreamBegin, 1),
		c.status("status", "NetStream.Play.Reset", "The stream is reset."),
		c.status("status", "NetStream.Play.Start", "The stream starts."),
	)
	return r.take(), err
}

// playEnd is what a player is told at the stream's end.
func (p *peer) playEnd() ([]byte, error) {
	err := errors.Join(
		p.event(eventStreamEOF, 1),
		p.status("status", "NetStream.Play.UnpublishNotify", "The stream has ended."),
		p.status("status", "NetStream.Play.Stop", "The stream has ended."),
	)
	return p.replies.take(), err
}

// view plays to the player, whom the guard trusts by now, until it leaves or the stream
// ends.
func (p *peer) view(ctx context.Context, conn net.Conn) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var left error // why the player left
	var listening sync.WaitGroup
	listening.Go(func() { // ends when conn does, or at the deadline below
		left = p.listen()
		cancel(net.ErrClosed)
	})
	err := p.viewing.Play(ctx, conn, p.head, p.replies.take)
	conn.SetReadDeadline(time.Now()) // in the past for whoever reads
	listening.Wait()
	if context.Cause(ctx) == net.ErrClosed && err != nil && !isTimeout(left) {
		return left
	}
	if err != nil {
		return err
	}
	end, err := p.playEnd()
	if err != nil {
		return err
	}
	conn.SetWriteDeadline(time.Now().Add(writeTime))
	_, err = conn.Write(end)
	return err
}

// listen reads what the player sends until it leaves, and returns why.
func (p *peer) listen() error {
	for {
		m, err := p.next()
		if err != nil {
			return err
		}
		if !isCommand(m) {
			continue
		}
		cmd, err := parseCommand(m)
		if err != nil {
			return err
		}
		switch cmd.name {
		case "deleteStream", "closeStream":
			return errStopped
		}
		if err := p.reply(cmd); err != nil {
			return err
		}
	}
}
