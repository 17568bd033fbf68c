package relay

import (
	"fmt"
	"time"

	"relay/relay/stream"
)

// recordingAfter is how old a stream may be, by this machine's clock, when a newcomer meets it: more
// than clocks that are set by the network differ, and less than anybody would take for live.
const recordingAfter = 60 * time.Second

// ringAge is how old the newest chunk of a stream may be that a node has when it begins there, without a
// beat that tells of pauses.
const ringAge = 60 * time.Second

// NotLive says that a node has offered what is not the channel's present: a recording, a run after
// which there was a later one, or one that has yet to begin. It is an error of the link, and a notice.
type NotLive struct {
	Made  time.Time // by the source's clock
	Now   time.Time // by this machine's
	Later time.Time // when a later run that was seen here began; zero for a recording
}

func (n *NotLive) Error() string {
	const layout = "2006-01-02 15:04:05"
	if !n.Later.IsZero() {
		return fmt.Sprintf("a recording of %s is offered: the source was started again at %s", n.Made.Format(layout), n.Later.Format(layout))
	}
	if n.Ahead() {
		return fmt.Sprintf("a stream is offered that begins at %s; this machine's clock says %s", n.Made.Format(layout), n.Now.Format(layout))
	}
	return fmt.Sprintf("a recording of %s is offered; this machine's clock says %s", n.Made.Format(layout), n.Now.Format(layout))
}

// Ahead reports whether it is of the future by this machine's clock: one of the two clocks is wrong.
func (n *NotLive) Ahead() bool { return n.Later.IsZero() && n.Made.After(n.Now) }

// Unwrap makes it an epoch that was replaced.
func (n *NotLive) Unwrap() error { return stream.ErrEpoch }

func (NotLive) notice() {}

// begun refuses a run that begins in the future, by more than clocks differ. One that is in force already has
// begun, also where this machine's clock is set back later.
func (in *intake) begun(e stream.Epoch) error {
	if b := in.beat.Load(); b != nil && b.Epoch() == e {
		return nil
	}
	if now := in.wall(); e.Check(now) != nil {
		return &NotLive{Made: time.UnixMilli(int64(min(e.Ms, 1<<53))), Now: now}
	}
	return nil
}

// present refuses what the root signed when its clock showed beat, if that was in a run before the
// latest that this machine has seen; or, from a newcomer's first words on, if it is older than most.
func (in *intake) present(e stream.Epoch, beat uint64, most time.Duration) error {
	now := in.wall()
	made := time.UnixMilli(int64(min(e.Ms, 1<<53) + min(beat, 1<<53)))
	switch {
	case e.Compare(in.floor) < 0:
		return &NotLive{made, now, time.UnixMilli(int64(min(in.floor.Ms, 1<<53)))}
	case !in.recordings && in.beat.Load() == nil && now.Sub(made) > most:
		return &NotLive{Made: made, Now: now}
	}
	return nil
}
