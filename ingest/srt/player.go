//go:build !lean

package srt

import (
	"context"
	"errors"
	"net"
	"os"
	"time"
)

const (
	// pace is what a player is sent at most, in bytes a second, and burst what may go out at once: what it
	// gets at its start comes from memory, and a receiver's buffer is often 200 KiB.
	pace, burst = 100_000_000 / 8, 96 << 10
)

// play plays to a player until it leaves or the stream ends, and says why.
func (c *conn) play(v Viewing) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	defer context.AfterFunc(c.ctx, func() { // the player has gone, or the server ends
		if c.gone() {
			cancel(net.ErrClosed)
			return
		}
		cancel(context.Cause(c.ctx))
	})()
	err := v.Play(ctx, &stream{conn: c, free: burst}, nil, nil)
	if why := context.Cause(c.ctx); why != nil {
		return why
	}
	if err == nil {
		err = errStopped
	}
	return err
}

// gone reports whether it was the other side that ended the connection.
func (c *conn) gone() bool {
	why := context.Cause(c.ctx)
	return !errors.Is(why, context.Canceled)
}

// stream is a connection as what it carries is written: any number of bytes of MPEG-TS, which go out in
// whole packets. It is for one goroutine at a time, but for Close.
type stream struct {
	conn *conn
	rest []byte // a part of a packet

	free int // bytes that may go out at once
	at   time.Time
}

const (
	tsPacket = 188
	// maxBatch is how many payloads go out at a time.
	maxBatch = 32
)

func (s *stream) Write(b []byte) (int, error) {
	n := len(b)
	if len(s.rest) > 0 {
		k := min(tsPacket-len(s.rest), len(b))
		s.rest, b = append(s.rest, b[:k]...), b[k:]
		if len(s.rest) < tsPacket {
			return n, nil
		}
		if err := s.send(s.rest); err != nil {
			return 0, err
		}
		s.rest = s.rest[:0]
	}
	for whole := b[:len(b)/tsPacket*tsPacket]; len(whole) > 0; {
		var some [][]byte
		for len(some) < maxBatch && len(whole) > 0 {
			k := min(Payload, len(whole))
			some, whole = append(some, whole[:k]), whole[k:]
		}
		if err := s.send(some...); err != nil {
			return 0, err
		}
	}
	s.rest = append(s.rest, b[len(b)/tsPacket*tsPacket:]...)
	return n, nil
}

// send sends payloads as soon as they may go out.
func (s *stream) send(some ...[]byte) error {
	size := 0
	for _, b := range some {
		size += len(b)
	}
	for {
		now := time.Now()
		s.free, s.at = min(burst, s.free+int(min(now.Sub(s.at), time.Second).Seconds()*pace)), now
		if s.free >= size {
			break
		}
		select {
		case <-time.After(time.Millisecond):
		case <-s.conn.ctx.Done():
			return net.ErrClosed
		}
	}
	s.free -= size
	if err := s.conn.put(some...); err != nil {
		return net.ErrClosed
	}
	return nil
}

func (s *stream) Close() error {
	s.conn.end(net.ErrClosed)
	return nil
}

// Read waits for the end: a player has nothing to say.
func (s *stream) Read([]byte) (int, error)         { return 0, os.ErrDeadlineExceeded }
func (s *stream) LocalAddr() net.Addr              { return &net.UDPAddr{} }
func (s *stream) RemoteAddr() net.Addr             { return net.UDPAddrFromAddrPort(s.conn.remote) }
func (s *stream) SetDeadline(time.Time) error      { return nil }
func (s *stream) SetReadDeadline(time.Time) error  { return nil }
func (s *stream) SetWriteDeadline(time.Time) error { return nil }
