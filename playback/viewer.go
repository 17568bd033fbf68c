package playback

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"relay/ingest/flv"
	"relay/relay/stream"
)

const (
	// stuckAfter is how long a viewer may take nothing of what it is sent: longer
	// than a Wi-Fi hiccup, shorter than a default ring.
	stuckAfter = 10 * time.Second
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
		return "the viewer took nothing for 10 s"
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
	convert flv.Converter
	watched bool // somebody else reads the connection, and ends ctx by net.ErrClosed
}

// play writes head and then the ring's media to conn until the viewer leaves or
// gets stuck, the ring is closed, or ctx ends.
func (v *viewer) play(ctx context.Context, conn net.Conn, ring *stream.Ring, head []byte) reason {
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // unblocks a write
	defer stop()

	if why, ok := v.write(ctx, conn, net.Buffers{head}); !ok {
		return why
	}
	f := newFeed(ring, v.start)
	probe := time.NewTicker(probeEvery)
	defer probe.Stop()
	for idle := false; ; {
		batch, wait, err := f.next()
		if err != nil {
			return channelEnded
		}
		if len(batch.Parts) > 0 {
			idle = false
			v.gap(f.cursor)
			out, err := v.convert(batch)
			if err != nil {
				return notCarried
			}
			if why, ok := v.write(ctx, conn, out); !ok {
				return why
			}
			continue
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return over(ctx)
		case <-probe.C:
			if idle && !v.watched && gone(conn) {
				return viewerLeft
			}
			idle = true
		}
	}
}

// over is why ctx has ended.
func over(ctx context.Context) reason {
	if errors.Is(context.Cause(ctx), net.ErrClosed) {
		return viewerLeft
	}
	return nodeClosing
}

// write writes all of b. It allows [stuckAfter] anew whenever the viewer took at
// least something.
func (v *viewer) write(ctx context.Context, conn net.Conn, b net.Buffers) (reason, bool) {
	for len(b) > 0 {
		conn.SetWriteDeadline(time.Now().Add(stuckAfter))
		part := b[:min(len(b), maxWriteParts)]
		before := len(part)
		n, err := part.WriteTo(conn)
		b = b[before-len(part):]
		v.bytes.Add(uint64(n))
		switch {
		case err == nil, n > 0 && errors.Is(err, os.ErrDeadlineExceeded):
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
	_, err := conn.Read(make([]byte, probeSize))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}
