package relay

import (
	"sync"
	"time"

	"relay/relay/stream"
)

const (
	// signedFor is for how long at least, and for at most twice as long, a beat or chunk counts for what the
	// root's clock shows at least: its machine may have been asleep since, and clocks drift.
	signedFor = 30 * time.Second
	// signedAfter is how long an epoch must be known before its signatures alone say what the clock
	// shows. The first beat that comes may have been signed a second ago.
	signedAfter = 2 * time.Second
)

// signedClock bounds the root's clock from below, by signatures alone: once anything has come, over
// whatever link, that shows t, the clock shows t and what has passed since. The bound is less than the
// clock by the quickest way that anything has taken of late. A parent cannot lower it: what it delays
// shows less than what came before, or comes over another link. The intake's goroutines and the
// channel's share it.
type signedClock struct {
	mu     sync.Mutex
	epoch  stream.Epoch
	since  time.Time     // when the epoch was heard of
	turned time.Time     // when best became last
	best   time.Duration // the clock at since, by the best that has come after turned
	last   time.Duration // likewise, in the time before
}

// note takes into account what the root has signed, and what its clock showed then.
func (k *signedClock) note(now time.Time, e stream.Epoch, clock time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := e.Compare(k.epoch)
	switch {
	case c < 0:
		return
	case c > 0:
		k.epoch, k.since, k.turned = e, now, now
		k.best, k.last = clock, clock
		return
	}
	at := clock - now.Sub(k.since)
	switch age := now.Sub(k.turned); {
	case age >= 2*signedFor:
		k.best, k.last, k.turned = at, at, now
	case age >= signedFor:
		k.last, k.best, k.turned = k.best, at, now
	}
	k.best = max(k.best, at)
}

// least returns what the clock of the epoch shows at least; 0 if that is not known yet.
func (k *signedClock) least(now time.Time, e stream.Epoch) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e != k.epoch || k.since.IsZero() || now.Sub(k.since) < signedAfter {
		return 0
	}
	return max(1, max(k.best, k.last)+now.Sub(k.since))
}
