package relay

import (
	"time"

	"relay/tree"
)

// flowing is how long ago a chunk may have gone to a child that is thought to get the next soon. The next
// heartbeat, 50 ms later, takes along one that has waited in vain: the link is silent for 75 ms then, and
// a child takes twice as much for a sign.
const flowing = 25 * time.Millisecond

// heldBeat is a heartbeat that waits for the next chunk, to go out in the same write: by itself it wakes
// both sides, more often than anything else on a link that carries 3 Mb/s but the chunks.
type heldBeat struct {
	tree.Heartbeat
	made time.Time
}

// now is what it says when it goes out.
func (b heldBeat) now() tree.Heartbeat {
	hb, held := b.Heartbeat, uint64(time.Since(b.made).Microseconds())
	if hb.Clock != 0 {
		hb.Clock += held
	}
	if hb.Echo != 0 {
		hb.Held += held
	}
	return hb
}

// beat queues a heartbeat. It waits for the next chunk if the child is swept and a chunk went out just now.
func (d *downlink) beat(hb tree.Heartbeat) {
	fed := time.Duration(d.fed.Load())
	d.queue(heldBeat{hb, time.Now()}, fed == 0 || d.now()-fed >= flowing)
}
