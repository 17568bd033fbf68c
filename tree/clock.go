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
}

const (
	// clockAge is how long a good sample outranks a worse one. A quartz clock drifts by
	// 50 ppm, which is half a millisecond in this time.
	clockAge = 10 * time.Second
	// maxRTT bounds a believable round trip.
	maxRTT = 10 * time.Second
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
	*c = clock{offset: micros(hb.Clock) + rtt/2 - sinceOrigin, rtt: rtt, at: now, known: true}
}

func micros(us uint64) time.Duration {
	const most = uint64(1<<63-1) / uint64(time.Microsecond)
	return time.Duration(min(us, most)) * time.Microsecond
}
