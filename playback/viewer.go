package playback

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"time"

	"relay/relay/socket"
)

const (
	// stuckAfter is how long a viewer may take nothing of what it is sent: longer
	// than a Wi-Fi hiccup, shorter than a default ring.
	stuckAfter = 10 * time.Second
	// slowAfter is how long a viewer may take for one write, however little it takes at a time. It
	// is as long as a default ring: what is written then is held for nobody else.
	slowAfter = time.Minute
	// lastWordsTime bounds how long a viewer has to take what it is told at the end.
	lastWordsTime = time.Second
	// probeEvery is how often a connection on which nothing was written is checked
	// for a viewer that has left. One that leaves is noticed within twice that.
	probeEvery = time.Second
	// probeFor is how long a check waits. A deadline that has passed would fail
	// the read without looking at the connection.
	probeFor = time.Millisecond
	// maxWriteParts bounds the slices of one writev: the runtime keeps as many
	// descriptors, of 16 bytes, for as long as the connection lives. A squashed start
	// has hundreds.
	maxWriteParts = 2 * maxBatchParts
	// probeSize is how many bytes that a viewer has no reason to send are dropped
	// in one check.
	probeSize = 512
)

// reason says why a viewer's stream ended, in the word of the event.
type reason string

const (
	viewerLeft   reason = "left"
	viewerStuck  reason = "stuck"
	channelEnded reason = "ended"
	notCarried   reason = "codec"
	nodeClosing  reason = "closing"
	nobodyAsks   reason = "idle" // for HLS
)

// text says it to people.
func (r reason) text() string {
	switch r {
	case viewerLeft:
		return "the viewer left"
	case viewerStuck:
		return "the viewer took nothing for 10 s, or next to nothing for a minute"
	case channelEnded:
		return "the channel ended"
	case notCarried:
		return "the format cannot carry the codec"
	case nodeClosing:
		return "the node is closing"
	case nobodyAsks:
		return "nobody has asked for 30 s"
	}
	return string(r)
}

// viewer is one player that is connected.
type viewer struct {
	presence
	start   Start
	form    Form
	batch   time.Duration // as in Config
	wrote   time.Time     // when its own goroutine wrote last
	place   *place
	watched bool               // somebody else reads the connection, and ends ctx by net.ErrClosed
	shift   *timeshift         // where it begins if that is not at present
	own     chunks             // likewise, in the ring; nil for what all others get
	last    func(error) []byte // what it is told at the end by why ctx ends; nil for nothing
	said    func() []byte      // what has to go between two tags, nil for never anything
}

// play writes head and then the channel's media to conn until the viewer leaves or gets stuck, the
// channel ends, or ctx does.
func (v *viewer) play(ctx context.Context, conn net.Conn, c *Channel, head []byte) reason {
	said := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { // unblocks a write
		defer close(said)
		v.end(conn, context.Cause(ctx))
	})
	defer func() {
		if !stop() {
			<-said
		}
	}()
	if why, ok := v.write(ctx, conn, net.Buffers{head}); !ok {
		return why
	}
	reel, sweeper := c.seat(v)
	defer c.unseat(v)
	v.place = newPlace(reel, v.start)
	in := &swept{viewer: v, socket: socket.Of(conn), back: make(chan handback, 1)}
	look := time.NewTicker(probeEvery)
	defer look.Stop()
	for {
		out, more, err := v.place.next()
		v.gap(v.place)
		var why reason
		ok := true
		switch {
		case ended(err):
			return channelEnded
		case err != nil:
			return notCarried
		case more == nil:
			if v.said != nil {
				if b := v.said(); len(b) > 0 {
					out = append(net.Buffers{b}, out...)
				}
			}
			why, ok = v.write(ctx, conn, out)
		case in.socket != nil && v.place.begun && sweeper != nil:
			why, ok = v.leaveTo(ctx, conn, sweeper, in)
		default:
			why, ok = v.await(ctx, conn, more, look.C)
		}
		if !ok {
			return why
		}
	}
}

// end closes the connection, after the last words if there are any.
func (v *viewer) end(conn net.Conn, why error) {
	if v.last != nil && !errors.Is(why, net.ErrClosed) {
		conn.SetWriteDeadline(time.Now().Add(lastWordsTime))
		conn.Write(v.last(why))
	}
	conn.Close()
}

// leaveTo leaves the viewer to a sweeper, until there is something that it has to write itself.
func (v *viewer) leaveTo(ctx context.Context, conn net.Conn, s *sweeper, in *swept) (reason, bool) {
	conn.SetWriteDeadline(time.Time{}) // one that has passed would fail a sweep
	var rest net.Buffers
	err := in.socket.Hold(func(f socket.File) (err error) { // end waits for it, as does whoever else closes the connection
		in.file = f
		rest, err = s.wait(ctx, in)
		return err
	})
	switch {
	case ctx.Err() != nil:
		return over(ctx), false
	case err != nil:
		return viewerLeft, false
	}
	return v.write(ctx, conn, rest)
}

// await waits for more, and looks after the connection meanwhile.
func (v *viewer) await(ctx context.Context, conn net.Conn, more <-chan struct{}, look <-chan time.Time) (reason, bool) {
	for idle := false; ; idle = true {
		select {
		case <-more:
			return v.rest(ctx)
		case <-ctx.Done():
			return over(ctx), false
		case <-look:
			v.place.reel.tidy()
			if idle && !v.watched && gone(conn) {
				return viewerLeft, false
			}
		}
	}
}

// rest waits until the viewer may be written to again.
func (v *viewer) rest(ctx context.Context) (reason, bool) {
	d := time.Until(v.wrote.Add(v.batch))
	if d <= 0 {
		return "", true
	}
	select {
	case <-time.After(d):
		return "", true
	case <-ctx.Done():
		return over(ctx), false
	}
}

// pass notes that the viewer has got all up to m.
func (v *viewer) pass(m mark) {
	was := v.place.mark
	v.place.pass(m)
	if m.gapped(was) {
		v.gap(v.place)
	}
}

// over is why ctx has ended.
func over(ctx context.Context) reason {
	if errors.Is(context.Cause(ctx), net.ErrClosed) {
		return viewerLeft
	}
	return nodeClosing
}

// write writes all of b, which stays as it is if it is longer than maxWriteParts. It allows
// [stuckAfter] anew whenever the viewer took at least something.
func (v *viewer) write(ctx context.Context, conn net.Conn, b net.Buffers) (reason, bool) {
	v.wrote = time.Now()
	last := v.wrote.Add(slowAfter)
	shared := len(b) > maxWriteParts
	var part net.Buffers
	for len(part)+len(b) > 0 {
		if len(part) == 0 {
			n := min(len(b), maxWriteParts)
			if part, b = b[:n], b[n:]; shared {
				part = slices.Clone(part)
			}
		}
		until := time.Now().Add(stuckAfter)
		if until.After(last) {
			until = last
		}
		conn.SetWriteDeadline(until)
		n, err := part.WriteTo(conn)
		v.bytes.Add(uint64(n))
		switch {
		case err == nil, n > 0 && errors.Is(err, os.ErrDeadlineExceeded) && time.Now().Before(last):
		case ctx.Err() != nil:
			return over(ctx), false
		case errors.Is(err, os.ErrDeadlineExceeded):
			return viewerStuck, false
		default:
			return viewerLeft, false
		}
	}
	return "", true
}

// gone reports whether the other end has closed conn. What it sent is dropped.
func gone(conn net.Conn) bool {
	conn.SetReadDeadline(time.Now().Add(probeFor))
	defer conn.SetReadDeadline(time.Time{}) // one that has passed would fail a sweeper's look
	_, err := conn.Read(make([]byte, probeSize))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}
