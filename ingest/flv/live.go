package flv

import "time"

const (
	// hurry is how much more than the time that has passed timestamps may step ahead, in
	// milliseconds. Muxers hold one track back by up to a second, and networks deliver
	// that unevenly; a player's buffer takes as much without falling behind for good.
	hurry = 1000
	// hurryWindow is how long an encoder that was held up may take to catch up by
	// leaving frames out, in milliseconds; at most twice that. After it, what it was
	// late by counts as its pace: clocks drift by seconds in a day.
	hurryWindow = 10_000
)

// LiveTimeline is a [Timeline] for media as it comes in, which goes by the clock as well.
// A player shows a picture when its own clock reaches the timestamp. If timestamps run
// ahead of time, the player waits in front of a still picture, or stays behind for good.
// A step ahead that is larger than the time that has passed is therefore treated as the
// start of another run.
//
// Audio and video move by the same offset, unless one of them jumps alone. The zero
// LiveTimeline is ready; it belongs to one goroutine.
type LiveTimeline struct {
	start   time.Time // what clock counts from
	placed  bool      // something has gone out
	begun   bool      // a picture or sound has
	largest uint32    // output of all
	video   track
	audio   track
	pace    pace
}

// track is the audio or the video.
type track struct {
	anchored bool   // offset is that of the present run
	offset   uint32 // out = in + offset
	floor    uint32 // largest output of the run before
	largest  uint32 // output
	at       uint32 // when the newest one came, on the clock
}

// Map returns the output timestamp of the next audio or video tag, which came at now.
// In the first run it is the same as in, also for a tag that lies up to 1 s behind its
// track's newest. After [LiveTimeline.Restart], a jump back of more than 1 s, or ahead
// of more than 10 s or of 1 s more than has passed, it is one step after the largest so
// far, and later ones follow from there.
func (t *LiveTimeline) Map(typ Type, in uint32, now time.Time) uint32 {
	clock := t.clock(now)
	own, other := &t.video, &t.audio
	if typ == Audio {
		own, other = other, own
	}
	if !t.begun {
		t.begin(in, clock)
	}
	offset, ok := t.choose(own, other, in, clock)
	if !ok {
		out := t.largest + restartStep
		offset = out - in
		own.floor = later(own.floor, t.largest)
		t.pace = pace{clock, out - clock, out - clock}
	} else if offset != own.offset {
		own.floor = later(own.floor, own.largest)
	}
	out := later(in+offset, own.floor)
	own.anchored, own.offset, own.at = true, offset, clock
	own.largest = later(own.largest, out)
	t.largest, t.placed = later(t.largest, out), true
	t.pace.add(out-clock, clock)
	return out
}

// begin starts the first run where its first picture or sound is. What was placed
// before says nothing of the media's time, unless they would go back behind it.
func (t *LiveTimeline) begin(in, clock uint32) {
	t.begun = true
	if t.placed && int32(in-t.largest) < -interleave {
		t.Restart()
		return
	}
	both := track{anchored: true, floor: in - interleave, largest: in, at: clock}
	t.video, t.audio = both, both
	if !t.placed || int32(in-t.largest) > 0 {
		t.largest = in
	}
	t.pace = pace{clock, in - clock, in - clock}
}

// choose returns the offset by which in goes on from its track's newest tag: its own,
// or the other track's where that has jumped first. It reports false if neither does.
func (t *LiveTimeline) choose(own, other *track, in, clock uint32) (uint32, bool) {
	least, best, found := uint32(0), uint32(0), false
	for _, tr := range []*track{own, other} {
		if !tr.anchored {
			continue
		}
		from, passed := own.largest, clock-own.at
		if !own.anchored {
			from, passed = t.largest, 0
		}
		out := in + tr.offset
		if int32(out-from) < -interleave || t.early(out, clock) {
			continue
		}
		if d := outside(int32(out-from), passed); !found || d < least {
			least, best, found = d, tr.offset, true
		}
	}
	return best, found
}

// outside is how far a step lies outside of 0 to passed.
func outside(step int32, passed uint32) uint32 {
	switch {
	case step < 0:
		return uint32(-step)
	case uint32(step) > passed:
		return uint32(step) - passed
	}
	return 0
}

// early reports whether time does not account for out.
func (t *LiveTimeline) early(out, clock uint32) bool {
	return int32(out-t.largest) > maxForward || int32(out-clock-t.pace.most()) > hurry
}

// Place is [Timeline.Place]. It takes the offset of the track that has gone on last.
func (t *LiveTimeline) Place(in uint32, now time.Time) uint32 {
	clock := t.clock(now)
	if !t.begun {
		if step := int32(in - t.largest); t.placed && (step < -interleave || step > maxForward) {
			return t.largest
		}
		t.largest, t.placed = in, true
		return in
	}
	tr := &t.video
	if t.audio.anchored && (!tr.anchored || int32(t.audio.at-tr.at) > 0) {
		tr = &t.audio
	}
	out := in + tr.offset
	if !tr.anchored || int32(out-t.largest) < -interleave || t.early(out, clock) {
		return t.largest
	}
	out = later(out, tr.floor)
	t.largest = later(t.largest, out)
	return out
}

// Restart says that the next tag comes from another run.
func (t *LiveTimeline) Restart() {
	for _, tr := range []*track{&t.video, &t.audio} {
		tr.anchored, tr.floor, tr.largest = false, t.largest, t.largest
	}
}

// clock is now in milliseconds. It wraps, as timestamps do.
func (t *LiveTimeline) clock(now time.Time) uint32 {
	if t.start.IsZero() {
		t.start = now
	}
	return uint32(now.Sub(t.start).Milliseconds())
}

// pace is how far ahead of the clock the timestamps have been lately, at most.
type pace struct {
	turned      uint32 // when now began, on the clock
	now, before uint32 // in [hurryWindow], and in the one before
}

func (p *pace) add(ahead, clock uint32) {
	if clock-p.turned >= hurryWindow {
		p.turned, p.before, p.now = clock, p.now, ahead
	}
	p.now = later(p.now, ahead)
}

func (p *pace) most() uint32 { return later(p.now, p.before) }
