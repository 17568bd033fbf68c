package relay

import (
	"time"

	"relay/relay/stream"
)

const (
	// lagInterval is how often the lag is measured: with the tree's next tick.
	lagInterval = 100 * time.Millisecond
	// caughtUp is the lag at which a newcomer counts as having caught up: chunks that are 100
	// ms apart, on a path of 200 ms, leave as much.
	caughtUp = 300 * time.Millisecond
	// catchUpTime is how long a newcomer may take to catch up. It begins up to one group of
	// pictures back, 2 s as a rule. A link that is 20% faster than the stream makes that good
	// in this time; a slower one is no good.
	catchUpTime = 10 * time.Second
	// epochSettles is how long the root's clock is not used after the first sign of another
	// epoch: ten heartbeats, which have to bring the clock's new zero.
	epochSettles = 500 * time.Millisecond
	// stallExcuse is how late a measurement may be made before the node itself must
	// have been stalled, and stallSettles how long it then has for reading what waits
	// in its sockets.
	stallExcuse  = 300 * time.Millisecond
	stallSettles = 500 * time.Millisecond
	// clockError is how far the root's clock may seem to be behind what the root has
	// already signed. Beyond it, the clock is another epoch's.
	clockError = time.Second
	// beatSlack is how late a parent's beats may come without being held against it: they wait for no
	// more than a chunk at each node.
	beatSlack = 500 * time.Millisecond
)

// observation is the stream as this node has it at one moment.
type observation struct {
	Clock      time.Duration // the root's, since its epoch began
	ClockKnown bool
	Head       stream.Position // the newest chunk here
	HeadMs     uint64          // its beat
	// The newest signed beat, over whatever link it came; zero if there is none.
	BeatEpoch stream.Epoch
	BeatHead  uint64
	BeatMs    uint64
	// ParentBeat is the clock in the newest beat of that epoch that the parent itself has sent, or where
	// it has sent none, when it became the parent; 0 if there is no parent.
	ParentBeat time.Duration
}

// lag is how far a node's newest chunk is behind the root, as far as that is
// proved. Chunks and beats carry the root's clock under its signature, so a parent
// can hide nothing for longer than the next beat that comes from anywhere, and a
// source that pauses is told from a parent that withholds.
//
// The measure is the moment, by the root's clock, until which nothing is missing:
// the newest chunk's, or that of a beat which names no chunk beyond it. From it
// follow three lower bounds of the lag, of which the greatest counts:
//
//   - how old that moment was when it was learnt (a slow link, on which chunks and
//     beats are late alike);
//   - how long ago the first chunk was made that a beat names and that is not here
//     (a parent that withholds);
//   - how long ago the root must have signed a beat that has not come.
//
// A newcomer's backlog is left out of that. A parent that delays everything shows all the same: its
// beats are late too, by the clock that others' beats show.
type lag struct {
	last    time.Time // of the newest measurement
	excused time.Time // nothing is held against a parent before this

	epoch    stream.Epoch
	seq      uint64        // the newest chunk of epoch
	complete time.Duration // nothing made before is missing
	age      time.Duration // of complete, when it was learnt

	// A newcomer's backlog does not count while it does not grow.
	began   time.Time // when the first chunk came
	caught  bool
	backlog time.Duration
}

// measure takes an observation at now into account. It returns the lag, and whether it is
// known. Early and repeated calls do no harm.
func (l *lag) measure(now time.Time, s observation) (time.Duration, bool) {
	if !l.last.IsZero() && now.Sub(l.last) > stallExcuse {
		l.excuse(now.Add(stallSettles))
	}
	l.last = now
	epoch := s.Head.Epoch
	if s.BeatEpoch.Compare(epoch) > 0 {
		epoch = s.BeatEpoch
	}
	switch {
	case epoch == (stream.Epoch{}):
		return 0, false
	case epoch.Compare(l.epoch) > 0:
		*l = lag{last: now, excused: l.excused, epoch: epoch}
		l.excuse(now.Add(epochSettles))
	}
	learnt := l.learn(now, s)
	if !s.ClockKnown || now.Before(l.excused) || s.Clock+clockError < l.complete {
		l.age = 0
		return 0, false
	}
	if learnt {
		l.age = s.Clock - l.complete
	}
	behind := max(0, l.age, s.Clock-l.complete-stream.BeatInterval)
	if s.BeatEpoch == l.epoch && s.BeatHead > l.seq {
		// Those that are missing were made one after the other until the beat.
		step := max(0, ms(s.BeatMs)-l.complete) / time.Duration(min(s.BeatHead-l.seq, 1<<30)+1)
		behind = max(behind, s.Clock-l.complete-step)
	}
	behind = l.forgive(now, behind)
	if s.ParentBeat > 0 && s.BeatEpoch == l.epoch { // no backlog makes a beat late
		behind = max(behind, s.Clock-s.ParentBeat-stream.BeatInterval-beatSlack)
	}
	return behind, true
}

// learn moves complete, and reports whether it did.
func (l *lag) learn(now time.Time, s observation) bool {
	was := l.complete
	beat := s.BeatEpoch == l.epoch
	if s.Head.Epoch != l.epoch || s.Head.Seq == 0 {
		// Not one chunk yet. What was made before the first beat came is none of
		// this node's business.
		if beat && (s.BeatHead == 0 || l.complete == 0) {
			l.complete = max(l.complete, ms(s.BeatMs))
		}
		return l.complete != was
	}
	if l.seq == 0 {
		l.began, l.complete = now, 0
	}
	l.seq = s.Head.Seq
	l.complete = max(l.complete, ms(s.HeadMs))
	if beat && s.BeatHead <= l.seq {
		l.complete = max(l.complete, ms(s.BeatMs))
	}
	return l.complete != was
}

// forgive takes from the lag what a newcomer began with, as long as it catches up.
func (l *lag) forgive(now time.Time, behind time.Duration) time.Duration {
	if l.caught || l.began.IsZero() {
		return behind
	}
	if behind <= caughtUp || now.Sub(l.began) >= catchUpTime {
		l.caught = true
		return behind
	}
	if l.backlog == 0 || behind < l.backlog {
		l.backlog = behind
	}
	return behind - l.backlog
}

func (l *lag) excuse(until time.Time) {
	if until.After(l.excused) {
		l.excused = until
	}
}

// ms is a duration from a peer's milliseconds, bounded so that it cannot overflow.
func ms(n uint64) time.Duration {
	const most = uint64(1<<62) / uint64(time.Millisecond)
	return time.Duration(min(n, most)) * time.Millisecond
}
