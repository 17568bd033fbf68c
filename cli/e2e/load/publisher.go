//go:build e2e && linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"relay/ingest/flv"
)

// publisher sends the clip to one server at the pace of its timestamps.
type publisher struct {
	conn   net.Conn
	encode func([]byte, flv.Tag) []byte
	sent   *history
	late   []time.Duration // of each write, behind when it was due
}

// publishFLV connects to a server that takes plain FLV.
func publishFLV(addr string, h *history) (*publisher, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write(h.clip.head()); err != nil {
		return nil, err
	}
	return &publisher{conn: conn, sent: h, encode: func(b []byte, t flv.Tag) []byte { return append(b, t...) }}, nil
}

// publishRTMP connects to a server as encoders do.
func publishRTMP(at string, h *history) (*publisher, error) {
	a, err := parseRTMP(at)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", a.host)
	if err != nil {
		return nil, err
	}
	if err := a.ask(conn, newRTMPParser(&check{sent: h}), false); err != nil {
		return nil, err
	}
	size := []byte{0, 0, publishChunk >> 8, publishChunk & 0xff}
	b := chunked(nil, controlStream, setChunkSize, 0, 0, size, defaultChunk)
	for _, t := range h.clip.configs {
		b = published(b, t)
	}
	if _, err := conn.Write(b); err != nil {
		return nil, err
	}
	return &publisher{conn: conn, sent: h, encode: published}, nil
}

// run sends until ctx ends, which is no error.
func (p *publisher) run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { p.conn.Close() })()
	defer p.conn.Close()
	go io.Copy(io.Discard, p.conn) // what servers acknowledge; ends with the connection
	// A thread of its own sleeps more exactly than the runtime's timers.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begun, b := now(), []byte(nil)
	for n := 0; ctx.Err() == nil; n++ {
		t := p.sent.clip.tag(n)
		due := begun + time.Duration(t.Timestamp())*time.Millisecond
		b = p.encode(b[:0], t)
		sleepUntil(due)
		p.late = append(p.late, now()-due)
		if !p.sent.add(t) {
			return fmt.Errorf("the run has taken longer than the %d tags for which there is room", n)
		}
		if _, err := p.conn.Write(b); err != nil && ctx.Err() == nil {
			return fmt.Errorf("the server takes no more from the publisher: %w", err)
		}
	}
	return nil
}

// sleepUntil blocks the thread until a time of this process's clock.
func sleepUntil(at time.Duration) {
	for left := at - now(); left > 0; left = at - now() {
		ts := unix.NsecToTimespec(int64(left))
		_ = unix.Nanosleep(&ts, nil) // a signal ends it early, and the loop goes on
	}
}

// feed has a publisher send the stream to ours, for so long at most, and returns once it comes in. The
// context ends with the publisher. stop ends it, and returns what went wrong with it.
func (p plan) feed(ctx context.Context, s *server, most time.Duration) (_ context.Context, h *history, stop func() error, err error) {
	h = newHistory(p.clip, mostTags*int(most/time.Second))
	pub, err := s.publish(h)
	if err != nil {
		return nil, nil, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var published errgroup.Group
	published.Go(func() error { // ends with ctx
		err := pub.run(ctx)
		cancel(err)
		return err
	})
	stop = func() error { cancel(nil); return published.Wait() }
	if err := wait(ctx, joinTime, func() bool { return h.count() > 0 }); err != nil {
		return nil, nil, nil, errors.Join(err, stop())
	}
	return ctx, h, stop, nil
}
