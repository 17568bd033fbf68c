package playback

import (
	"sync/atomic"
	"time"

	"relay/relay/stream"
)

// presence is how a channel counts and shows one of its viewers: a player, or all who
// watch it as HLS.
type presence struct {
	addr  string
	since time.Time

	// Written by whoever plays, read by the status.
	bytes         atomic.Uint64 // that were sent
	missed, moves atomic.Uint64 // as in [stream.Cursor.Gap]
}

// gap notes what c has passed over.
func (p *presence) gap(c *stream.Cursor) {
	missed, moves := c.Gap()
	p.missed.Store(missed)
	p.moves.Store(moves)
}
