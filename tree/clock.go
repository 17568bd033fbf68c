package tree

import "time"

// clock estimates the root's clock from what the parent says it is. A heartbeat that
// answers a report bounds the error by half of the round trip (Cristian, "Probabilistic
// clock synchronization", 1989). The estimate with the shortest recent round trip is
// kept. Errors add up along the path.
type clock struct {
	offset time.Duration // root's clock minus time since origin
	rtt    time.Duration
	at     time.Time
	known  bool

	signed   time.Duration // as offset, but by what the root has signed: it may be too little
	isSigned bool
}

const (
	// clockAge is how long a good sample outranks a worse one. A quartz clock drifts by
	// 50 ppm, which is half a millisecond in this time.
	clockAge = 10 * time.Second
	// maxRTT bounds a believable round trip.
	maxRTT = 10 * time.Second
	// maxLead is how far a parent's word may be ahead of what the root has signed: more than the
	// stream is ever late as a whole.
	maxLead = 15 * time.Second
)

// sample takes a parent's heartbeat into account. sinceOrigin is the time on the node's
// own clock.
func (c *clock) sample(now time.Time, sinceOrigin time.Duration, hb Heartbeat) {
	if hb.Clock == 0 || hb.Echo == 0 {
		return
	}
	rtt := sinceOrigin - micros(hb.Echo) - micros(hb.Held)
	if rtt < 0 || rtt > maxRTT {
		return
	}
	if c.known && rtt > c.rtt && now.Sub(c.at) < clockAge {
		return
	}
	c.offset, c.rtt, c.at, c.known = micros(hb.Clock)+rtt/2-sinceOrigin, rtt, now, true
}

// bound takes into account what the root's clock shows at least; 0 says that it is not known.
func (c *clock) bound(sinceOrigin, least time.Duration) {
	c.signed, c.isSigned = least-sinceOrigin, least > 0
}

// reads returns the root's clock, and whether it is known. A parent's word counts as far as what the root
// has signed bears it out: a parent that delays the stream and its clock alike is not believed.
func (c *clock) reads(sinceOrigin time.Duration) (time.Duration, bool) {
	offset := c.offset
	switch {
	case !c.isSigned:
	case !c.known:
		offset = c.signed
	default:
		offset = min(max(offset, c.signed), c.signed+maxLead)
	}
	return sinceOrigin + offset, c.known || c.isSigned
}

func micros(us uint64) time.Duration {
	const most = uint64(1<<63-1) / uint64(time.Microsecond)
	return time.Duration(min(us, most)) * time.Microsecond
}
