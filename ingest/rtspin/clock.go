package rtspin

import (
	"time"

	"relay/ingest/convert"
)

const (
	// ahead and back bound a step between two timestamps of one track, in seconds: one beyond is a clock
	// that was set, and the track goes on at the time at which the packet comes.
	ahead, back = 10, 2
	// believed is how far apart from what the packets' arrival says the reports of a camera may put
	// sound and pictures, in [convert.Rate]. Some cameras report of sound by another clock altogether.
	believed = 2 * convert.Rate
	// still is how far sound may be off before it is moved, and slew how much it is moved for each
	// packet; both in [convert.Rate]. A millisecond in 20 is not heard.
	still, slew = 5 * convert.Rate / 1000, convert.Rate / 1000
)

// clock gives the packets of a camera's tracks times of one clock, in [convert.Rate]. RTP alone does
// not say how tracks belong together (RFC 3550, 5.1): each begins when its first packet comes; sound is moved to
// where the camera's sender reports say that it belongs, if they come and are believable. The zero value is ready.
type clock struct {
	begun  bool
	origin time.Time // when the first packet came
	tracks [2]trackClock
}

// Which of the tracks.
const (
	ofPictures = 0
	ofSound    = 1
)

type trackClock struct {
	rate  int64 // Hz
	begun bool
	last  uint32
	ticks int64 // from the first timestamp on, without wraps
	base  int64 // what the first one's time was, in convert.Rate

	report struct { // the newest, if sound was not moved since
		is  bool
		ntp uint64
		ts  uint32
	}
	moved  int64 // how far the track has been moved
	target int64 // how far it is to be
	sent   bool  // something has a time
}

// time is that of a timestamp near the newest.
func (t *trackClock) time(ts uint32) int64 {
	ticks := t.ticks + int64(int32(ts-t.last))
	return t.base + ticks/t.rate*convert.Rate + ticks%t.rate*convert.Rate/t.rate
}

// at returns the time of a packet that comes now.
func (c *clock) at(track int, ts uint32, now time.Time) int64 {
	if !c.begun {
		c.begun, c.origin = true, now
	}
	t := &c.tracks[track]
	step := int64(int32(ts - t.last))
	if !t.begun || step > ahead*t.rate || step < -back*t.rate {
		t.begun, t.last, t.ticks = true, ts, 0
		t.base = int64(now.Sub(c.origin) * convert.Rate / time.Second)
		step = 0
	}
	t.ticks += step
	t.last = ts
	c.sync()
	if d := t.target - t.moved; t.sent {
		t.moved += min(max(d, -slew), slew)
	} else {
		t.moved, t.sent = t.target, true
	}
	return t.time(ts) + t.moved
}

// report takes a sender report: at the camera's wall clock, in NTP's 32.32 bits, the track was at a timestamp.
func (c *clock) report(track int, ntp uint64, ts uint32) {
	if ntp == 0 {
		return // it has no clock (RFC 3550, 6.4.1)
	}
	r := &c.tracks[track].report
	r.is, r.ntp, r.ts = true, ntp, ts
	c.sync()
}

// sync moves sound, or pictures of which none has a time yet, once both tracks have begun and have reports that were
// not used yet.
func (c *clock) sync() {
	p, s := &c.tracks[ofPictures], &c.tracks[ofSound]
	if !p.begun || !s.begun || !p.report.is || !s.report.is {
		return
	}
	to := s.wall() - p.wall()
	p.report.is, s.report.is = false, false
	switch {
	case to > believed || to < -believed:
	case !p.sent:
		p.base -= to - s.target
	case to-s.target > still || s.target-to > still:
		s.target = to
	}
}

// wall is by how much the camera's wall clock is ahead of the track's times.
func (t *trackClock) wall() int64 {
	ntp := t.report.ntp
	return int64(ntp>>32)*convert.Rate + int64((ntp&0xffffffff)*convert.Rate>>32) - t.time(t.report.ts)
}
