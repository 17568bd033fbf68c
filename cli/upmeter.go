package cli

import (
	"time"

	"relay/relay"
	"relay/tree"
)

// upWindow is the least time over which the upload is measured, about the distance
// of two keyframes: shorter ones would show those, not a rate.
const upWindow = 2 * time.Second

// upMeter turns the bytes that links to children have sent into rates. Its zero value
// is ready.
type upMeter struct {
	at        time.Time
	sent      map[tree.Link]uint64
	far, near int
}

// measure returns what goes to children beyond this network and within it, bit/s.
func (m *upMeter) measure(now time.Time, links map[tree.Link]relay.LinkStatus) (far, near int) {
	d := now.Sub(m.at)
	if !m.at.IsZero() && d < upWindow {
		return m.far, m.near
	}
	sent := make(map[tree.Link]uint64, len(links))
	var bytes [2]uint64 // far, near
	for num, l := range links {
		sent[num] = l.Sent
		which := 0
		if l.Near {
			which = 1
		}
		bytes[which] += l.Sent - min(l.Sent, m.sent[num])
	}
	if !m.at.IsZero() {
		m.far, m.near = int(float64(bytes[0])*8/d.Seconds()), int(float64(bytes[1])*8/d.Seconds())
	}
	m.at, m.sent = now, sent
	return m.far, m.near
}
