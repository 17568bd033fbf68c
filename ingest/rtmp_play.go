package ingest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/bluenviron/gortmplib/pkg/bytecounter"
	"github.com/bluenviron/gortmplib/pkg/rawmessage"
)

const (
	// playerBytes is what a player may send in [playerTime], in bytes: it
	// acknowledges every 2.5 MB, and has little else to say.
	playerBytes = 64 << 10
	playerTime  = time.Minute
	// maxReplies is how much may wait to be sent to a player besides media, in bytes:
	// the answers to what it asks, which go out in front of the next tags.
	maxReplies = 4 << 10
)

var (
	// ErrNoStream refuses a player that asks for what is not there.
	ErrNoStream = errors.New("there is no such stream")

	errAskedTooMuch = errors.New("it asks for more than it takes")
	errSaidTooMuch  = errors.New("it sends more than a player has to say")
	errStopped      = errors.New("it stopped")
)

// Viewing plays one stream to one player. It writes head to conn and then what convert
// makes of the stream, any number of whole FLV tags at a time, in slices that convert
// leaves as they are; what it returns is good until the next call. It returns nil when
// the stream has ended, and else why it stopped. It must not read from conn, nor close
// it but to end its own write when ctx ends, by [net.ErrClosed] once the player has gone.
type Viewing func(ctx context.Context, conn net.Conn, head []byte, convert func(net.Buffers) (net.Buffers, error)) error

// play asks for a stream and answers.
func (s *RTMPServer) play(p *peer, from net.Addr, app, name string) error {
	if s.Play == nil {
		return errors.Join(errPlay, p.status("error", "NetStream.Play.StreamNotFound",
			"This address takes a stream from an encoder; it does not play one."))
	}
	if app, name = streamPath(app, name); name == "" {
		app, name = "", app // an address of one part
	}
	// What it is told if there is such a stream, made first: whoever is taken is played to.
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
		return errors.Join(fmt.Errorf("play %q: %w", printable(name), err), p.status("error", code, err.Error()))
	}
	p.divert(replies)
	p.viewing, p.head, p.replies = viewing, head, replies
	return nil
}

// playHead is what goes in front of a player's media. r is empty before and after.
func (p *peer) playHead(r *replies) ([]byte, error) {
	c := &rtmpConn{}
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

// divert has what is written from now on kept in r, whose reader puts it in between
// the media. gortmplib's writer begins anew, as it may.
func (c *rtmpConn) divert(r *replies) {
	c.w = rawmessage.NewWriter(r, bytecounter.NewWriter(r), false)
	c.w.SetChunkSize(ourChunk)
}

// view plays to the player until it leaves or the stream ends. The player was trusted.
func (p *peer) view(ctx context.Context, conn net.Conn) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var heard error
	var listening sync.WaitGroup
	listening.Go(func() { // ends when conn does, or at the deadline below
		heard = p.listen()
		cancel(net.ErrClosed)
	})
	var chunks chunker
	err := p.viewing(ctx, conn, p.head, func(tags net.Buffers) (net.Buffers, error) {
		out := chunks.add(tags)
		if r := p.replies.take(); len(r) > 0 {
			out = append(net.Buffers{r}, out...)
		}
		return out, nil
	})
	conn.SetReadDeadline(time.Now()) // in the past for whoever reads
	listening.Wait()
	if context.Cause(ctx) == net.ErrClosed && err != nil && !isTimeout(heard) {
		return heard
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

// replies is what waits to be sent in between the media. It is safe for concurrent
// use. Its zero value is empty.
type replies struct {
	mu  sync.Mutex
	buf []byte
}

// Write keeps p, or fails if too much is kept.
func (r *replies) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.buf)+len(p) > maxReplies {
		return 0, errAskedTooMuch
	}
	r.buf = append(r.buf, p...)
	return len(p), nil
}

// take returns what is kept, and forgets it.
func (r *replies) take() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.buf
	r.buf = nil
	return b
}
