package rtp

import (
	"time"

	"relay/ingest/convert"
)

// track is pictures or sound.
type track struct {
	Coding
	order     order
	assembler assembler
	open      bool   // a unit has begun
	time      uint32 // of that unit
	broken    bool   // it cannot be whole
	lost      bool   // something was, since the unit before

	clock  convert.Unwrapper
	begun  bool
	newest int64 // in the track's clock, without wraps
	shown  int64 // when that is, at convert.Rate
	shift  int64 // from the track's clock, at convert.Rate, to when it is shown
	slew   int64 // how much shift is to change, as time passes

	reported bool
	day      int64 // from the track's clock to the time of day, both at convert.Rate
}

// as returns the track that is coded so, which is the same if it was; nil for none. Its time goes on.
func (t *track) as(c Coding) *track {
	switch {
	case c.Format == convert.None || c.Rate <= 0:
		return nil
	case t != nil && t.Coding == c:
		return t
	}
	next := &track{Coding: c, assembler: newAssembler(c.Format)}
	if t != nil && t.Rate == c.Rate {
		kept := *t
		kept.Coding, kept.assembler, kept.open, kept.lost = c, next.assembler, false, true
		return &kept
	}
	return next
}

// scaled is a time in the track's clock at [convert.Rate].
func (t *track) scaled(ticks int64) int64 {
	if t.Rate == convert.Rate {
		return ticks
	}
	r := int64(t.Rate)
	whole, rest := ticks/r, ticks%r
	return whole*convert.Rate + rest*convert.Rate/r
}

// ticks is a duration at convert.Rate.
func ticks(d time.Duration) int64 { return int64(d) * convert.Rate / int64(time.Second) }

// at returns when the unit is shown whose packets came at a time. The first is shown when it came.
func (t *track) at(came time.Duration) int64 {
	now := t.clock.Next(uint64(t.time), 32)
	here := ticks(came)
	before := t.shown
	shown := t.scaled(now) + t.shift
	if !t.begun || shown-here > strayed || here-shown > strayed {
		t.shift, t.slew, t.reported = here-t.scaled(now), 0, false
		t.begun, before, shown = true, here, here
	}
	if step := min(max(t.slew, -(shown-before)/slewing), (shown-before)/slewing); t.slew != 0 && shown > before {
		t.shift += step
		t.slew -= step
		shown += step
	}
	t.newest, t.shown = now, shown
	return shown
}

// settle moves the track at once.
func (t *track) settle(by int64) { t.shift, t.slew = t.shift+by, 0 }

// report notes when, by the time of day, something in the track's clock was. It reports false for what cannot be: encoders
// send some before they send anything, with times of nothing.
func (t *track) report(ntp uint64, clock uint32) bool {
	if !t.begun || ntp == 0 {
		return false
	}
	since := int64(int32(clock - uint32(t.newest)))
	if off := t.scaled(since); off > strayed || off < -strayed {
		return false
	}
	day := int64(ntp>>32)*convert.Rate + int64(ntp&0xffff_ffff*convert.Rate>>32)
	t.reported, t.day = true, day-t.scaled(t.newest+since)
	return true
}
