package playback

import (
	"sync/atomic"
	"time"
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

// gapped is a reader's place in what a ring holds.
type gapped interface{ Gap() (missed, moves uint64) }

// gap notes what the reader has passed over.
func (p *presence) gap(c gapped) {
	missed, moves := c.Gap()
	p.missed.Store(missed)
	p.moves.Store(moves)
}
