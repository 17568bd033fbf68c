package flv

const (
	// interleave is how far a timestamp may lie behind the newest one before it
	// counts as a jump, in milliseconds: muxers write audio and video that far
	// out of order.
	interleave = 1000
	// maxForward is the largest step ahead that is believed, in milliseconds: an
	// encoder that was silent for longer has been taken for dead.
	maxForward = 10_000
	// restartStep is how far behind the last tag the next one comes when the
	// timeline is joined anew, in milliseconds: one frame of 30 Hz.
	restartStep = 33
)

// Timeline makes one run of timestamps out of several: those of an encoder that
// stops and starts again, of a file that is repeated, of a source that restarts.
// Timestamps are milliseconds in 32 bits that wrap; order is that of serial
// numbers (RFC 1982). The zero Timeline is ready; it belongs to one goroutine.
type Timeline struct {
	begun    bool
	anchored bool   // offset is that of the present run
	gap      bool   // tags are missing in front of the next one
	offset   uint32 // out = in + offset
	newest   uint32 // largest input of the run
	largest  uint32 // largest output of all
	floor    uint32 // largest output of the runs before
	zero     bool   // the first output is to be 0
}

// FromZero has the timeline begin at 0, whatever the first timestamp is. It comes before
// everything else.
func (t *Timeline) FromZero() { t.zero = true }

// Map returns the output timestamp of the next audio or video tag. In the first
// run it is the same as in, also for a tag that lies up to 1 s behind the newest.
// After [Timeline.Restart], a jump back of more than 1 s or ahead of more than
// 10 s, it is one step after the largest so far, and later ones follow from there.
// It is never below the largest of the run before.
func (t *Timeline) Map(in uint32) uint32 {
	switch {
	case !t.begun && t.zero:
		*t = Timeline{begun: true, anchored: true, newest: in, offset: -in}
		return 0
	case !t.begun:
		*t = Timeline{begun: true, anchored: true, newest: in, largest: in, floor: in - interleave}
		return in
	case !t.anchored || !t.near(in) && !(t.gap && int32(in-t.newest) > 0):
		t.floor = t.largest
		t.offset = t.largest + restartStep - in
		t.newest = in
		t.anchored = true
	}
	t.gap = false
	out := later(in+t.offset, t.floor)
	t.newest = later(t.newest, in)
	t.largest = later(t.largest, out)
	return out
}

// Gap says that tags are missing in front of the next one. Its step ahead is believed
// however large: time has gone on by as much, and a timestamp that did not would be
// late for ever.
func (t *Timeline) Gap() { t.gap = true }

// Place returns the output timestamp of a tag that must not steer the timeline:
// script data and configurations, which many encoders stamp 0 at any time. Within
// the bounds of the present run it is mapped like media, else it is the largest
// output so far.
func (t *Timeline) Place(in uint32) uint32 {
	switch {
	case !t.begun:
		return t.Map(in)
	case t.anchored && t.near(in):
		out := later(in+t.offset, t.floor)
		t.largest = later(t.largest, out)
		return out
	}
	return t.largest
}

// Restart says that the next tag comes from another run.
func (t *Timeline) Restart() { t.anchored = false }

func (t *Timeline) near(in uint32) bool {
	step := int32(in - t.newest)
	return step >= -interleave && step <= maxForward
}

// later returns the later of two timestamps that are less than 24 days apart.
func later(a, b uint32) uint32 {
	if int32(a-b) > 0 {
		return a
	}
	return b
}
