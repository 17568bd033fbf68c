package srt

import "time"

const (
	// clockSamples is over how many samples the other side's clock is averaged, of which there are up to 100 a
	// second, and firstSamples over how many at first (draft-sharabayko-srt-01, 4.7: 1000).
	clockSamples, firstSamples = 1000, 100
	// clockStep is the least by which it is set anew.
	clockStep = 5 * time.Millisecond
	// clockEpoch is added to all its times, so that none is negative.
	clockEpoch = 1 << 40 // µs
)

// peerClock is the other side's clock as it is seen here: its timestamps count microseconds from when it
// began, in 32 bits. It runs faster or slower than this machine's, and what is sent is held back by
// it, so it is looked at for as long as the connection lasts.
type peerClock struct {
	base int64     // its time at at, in µs from clockEpoch on
	at   time.Time // here
	last int64     // the newest timestamp, unwrapped

	sum  int64 // of how far its timestamps were ahead of base when they came
	n    int
	most int // samples until it is looked at
}

func newPeerClock(stamp uint32, at time.Time) peerClock {
	t := clockEpoch + int64(stamp)
	return peerClock{base: t, at: at, last: t, most: firstSamples}
}

// now is its time.
func (c *peerClock) now(t time.Time) int64 { return c.base + t.Sub(c.at).Microseconds() }

// unwrap returns which of the times that a timestamp may be is next to the one before.
func (c *peerClock) unwrap(stamp uint32) int64 {
	c.last += int64(int32(stamp - uint32(c.last)))
	return c.last
}

// sample notes that something that it has stamped came at t.
func (c *peerClock) sample(stamp uint32, t time.Time) {
	c.sum += c.unwrap(stamp) - c.now(t)
	if c.n++; c.n < c.most {
		return
	}
	off := c.sum / int64(c.n)
	c.sum, c.n, c.most = 0, 0, clockSamples
	if time.Duration(max(off, -off))*time.Microsecond >= clockStep {
		c.base += off
	}
}
