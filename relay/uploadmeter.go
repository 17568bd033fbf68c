package relay

import (
	"math"
	"time"

	"relay/tree"
)

// uploadWindow is the least time over which an upload is measured, about the distance
// between two keyframes: a shorter time would show keyframes instead of a rate.
const uploadWindow = 2 * time.Second

// uploadMeter turns the bytes that links to children have sent into rates. The channel's
// goroutine owns it. Its zero value is ready.
type uploadMeter struct {
	at    time.Time
	sent  map[tree.Link]uint64
	rates map[tree.Link]float64 // bit/s, of the links that were there at the last measurement
}

// measure is given what each link has sent since it began, in bytes.
func (m *uploadMeter) measure(now time.Time, sent map[tree.Link]uint64) {
	d := now.Sub(m.at)
	if !m.at.IsZero() && d < uploadWindow {
		return
	}
	rates := make(map[tree.Link]float64, len(sent))
	if !m.at.IsZero() {
		for num, n := range sent {
			rates[num] = float64(n-min(n, m.sent[num])) * 8 / d.Seconds()
		}
	}
	m.at, m.sent, m.rates = now, sent, rates
}

// rate is what goes over one link, bit/s.
func (m *uploadMeter) rate(num tree.Link) int { return int(m.rates[num]) }

// kbits is what goes over all links together, kbit/s, rounded up.
func (m *uploadMeter) kbits() uint32 {
	var sum float64
	for _, r := range m.rates {
		sum += r
	}
	return clip32(math.Ceil(sum / 1000))
}
