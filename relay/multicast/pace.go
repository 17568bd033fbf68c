package multicast

import "time"

const (
	// readMost bounds the packets looked at in each readTime: 10,000 a second, which
	// take a few hundredths of a processor. Beyond that they wait in the kernel, which
	// drops what is too much.
	readMost = 200
	readTime = 20 * time.Millisecond
)

// Pace is how many packets were read in this stretch of readTime.
type Pace struct {
	since time.Time
	n     int
}

// Wait is how long no packet may be read, at now, before the next.
func (p *Pace) Wait(now time.Time) time.Duration {
	if d := now.Sub(p.since); d < 0 || d >= readTime {
		p.since, p.n = now, 0
	}
	p.n++
	if p.n <= readMost {
		return 0
	}
	return readTime - now.Sub(p.since)
}
