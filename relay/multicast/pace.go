package multicast

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

const (
	// readMost bounds the packets looked at in each readTime: 10,000 a second, which
	// take a few hundredths of a processor. Beyond that they wait in the kernel, which
	// drops what is too much.
	readMost = 200
	readTime = 20 * time.Millisecond
	// readPause is how long nothing is read after the system refused to.
	readPause = 10 * time.Millisecond
)

// Serve reads until the socket is closed, and hands each packet to take, up to size bytes of it: b is good
// until take returns. flooded is called each time that packets come faster than they are looked at.
func (s *Socket) Serve(size int, flooded func(), take func(b []byte, from netip.AddrPort, index int)) {
	b, oob := make([]byte, size), make([]byte, ControlSize)
	var p pace
	for {
		if wait := p.wait(time.Now()); wait > 0 {
			flooded() // what the system drops meanwhile, nobody counts
			time.Sleep(wait)
		}
		n, from, index, err := s.Read(b, oob)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(readPause)
			continue
		}
		take(b[:n], from, index)
	}
}

// pace is how many packets were read in this stretch of readTime.
type pace struct {
	since time.Time
	n     int
}

// wait is how long no packet may be read, at now, before the next.
func (p *pace) wait(now time.Time) time.Duration {
	if d := now.Sub(p.since); d < 0 || d >= readTime {
		p.since, p.n = now, 0
	}
	p.n++
	if p.n <= readMost {
		return 0
	}
	return readTime - now.Sub(p.since)
}
