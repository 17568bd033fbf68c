package api

import "time"

// RepairTime is how long a node that has lost its way to the source is only finding another one: a tree
// has mended itself by then. Besides, it takes as long until a machine without a network is said to have none.
const RepairTime = FreshFor

// AnswersFor is how long what others said counts for what is so now. It is longer than a node that was asked in
// vain is left alone (10 s) and an attempt takes (4 s).
const AnswersFor = 20 * time.Second

// SituationName is what a viewer sees of a channel, in a word.
type SituationName string

// Situations. Each has a sentence of its own, in cli/words and on the page.
const (
	// Before the first picture.
	Looking   SituationName = "looking"   // no node of the channel has answered yet
	Full      SituationName = "full"      // nodes of it answer, and have no room; also after the first picture
	Unknown   SituationName = "unknown"   // a node that was asked does not carry it, or knows another secret
	Recording SituationName = "recording" // what is offered is not live
	Refused   SituationName = "refused"   // a node says no for another reason, such as its version
	Waits     SituationName = "waiting"   // there is a way to the source, and no encoder has ever sent
	Starting  SituationName = "starting"  // likewise, and the first picture is on its way

	OnAir SituationName = "live"

	// After it.
	Paused       SituationName = "paused"       // there is a way to the source, which sends nothing
	Stuck        SituationName = "stuck"        // at the source: an encoder is connected, and sends nothing
	Reconnects   SituationName = "reconnecting" // the parent is lost, and another one is looked for, or has yet to bring something
	SourceAway   SituationName = "orphaned"     // the tree stands, and the source has gone; also before the first picture
	Over         SituationName = "ended"        // the newest picture is so old that nobody should wait
	Disconnected SituationName = "offline"      // this machine has no network; also before the first picture
	ClosedHere   SituationName = "closed"       // this node carries the channel no longer
)

// Situations are all of them.
var Situations = []SituationName{
	Looking, Full, Unknown, Recording, Refused, Waits, Starting, OnAir,
	Paused, Stuck, Reconnects, SourceAway, Over, Disconnected, ClosedHere,
}

// Situation is what a viewer sees of a channel at a node. Whoever says a sentence of it has it from here.
type Situation struct {
	Name SituationName `json:"name"`
	// Since is when that began, by this machine's clock: for what is paused or has ended, when the newest
	// picture was made. It is zero while the channel is live.
	Since time.Time `json:"since,omitzero"`
	// ForS is how many seconds ago that was, for who has another clock; 0 likewise.
	ForS int64 `json:"for_s,omitempty"`
}

// Answers is when those that were asked for the stream said what last, while there has been no parent, as in
// package relay.
type Answers struct {
	NoWay   time.Time // this machine has no way to the address
	Silent  time.Time // nothing answers there
	Absent  time.Time // a machine answers, and no relay takes connections there, or another node does
	Full    time.Time // a node has no room
	Orphan  time.Time // a node of the channel has no way to the source itself
	Unknown time.Time // a node does not carry the channel, or knows another secret
	Past    time.Time // what is offered there is not live
	Other   time.Time // a node says no for another reason, such as its version
	// SourceLeft says that the parent before was the source, and that it said that it leaves.
	SourceLeft bool
}

// SituationOf says what a viewer sees. It is the one place where that is decided: the state, the page, the
// status lines and the tables only say it.
func SituationOf(f Facts, now time.Time) Situation {
	name, since := situation(f, now)
	if since.IsZero() {
		return Situation{Name: name}
	}
	return Situation{name, since.UTC().Truncate(time.Second), int64(max(0, now.Sub(since)) / time.Second)}
}

func situation(f Facts, now time.Time) (SituationName, time.Time) {
	seen := !f.Came.IsZero()
	silent := f.silent(now)
	made := now.Add(-silent) // the newest picture
	over := seen && silent > EndedAfter
	switch {
	case f.Closed && over:
		return Over, made
	case f.Closed:
		return ClosedHere, time.Time{}
	case !f.Attached:
		return astray(f, now, over, made)
	case !seen && (f.Root || !f.Begun):
		return Waits, f.since()
	case !seen && now.Sub(f.since()) < FreshFor:
		return Starting, f.since()
	case !seen:
		return Paused, f.since() // what was sent before is too old to be had
	case f.Missing && silent >= FreshFor && now.Sub(f.since()) < RepairTime:
		return Reconnects, f.since() // the way is there again, and the picture has yet to come
	case over:
		return Over, made
	case f.Idle:
		return Paused, made
	case f.late(now) < FreshFor && Fresh(f.Came, now):
		return OnAir, time.Time{}
	case f.Root:
		return Stuck, made
	}
	return Paused, made
}

// astray is the situation of a node that has no way to the source.
func astray(f Facts, now time.Time, over bool, made time.Time) (SituationName, time.Time) {
	said := func(at time.Time) bool { return !at.IsZero() && now.Sub(at) < AnswersFor }
	a, since := f.Answers, f.since()
	once := f.Depth > 0 || !f.Came.IsZero() // there was a way
	early := now.Sub(since) < RepairTime
	if once && early && !a.SourceLeft {
		return Reconnects, since
	}
	// Somebody who would know says that the source is away. A node below the source has lost the source itself.
	somebody := said(a.Absent) || said(a.Unknown)
	// Who has said since then that it is cut off, too, is not asked again and again: that counts until there is a way.
	orphans := !a.Orphan.IsZero() && !a.Orphan.Before(since)
	away := a.SourceLeft || f.Parent != nil || orphans || once && f.Depth == 1 && somebody
	// In the first moments after a break nodes that are cut off themselves say that they are full.
	full := said(a.Full) && (!once || a.Full.Sub(since) > RepairTime/2)
	switch {
	case full:
		return Full, since
	case !early && said(a.NoWay) && !said(a.Silent) && !somebody && !said(a.Orphan) && f.Parent == nil:
		return Disconnected, since
	case over && (away || somebody):
		return Over, made
	case away:
		return SourceAway, since
	case once:
		return Reconnects, since
	case said(a.Past):
		return Recording, since
	case said(a.Unknown):
		return Unknown, since
	case said(a.Other):
		return Refused, since
	}
	return Looking, since
}

// silent is how long ago the newest chunk was made, as far as that is known.
func (f Facts) silent(now time.Time) time.Duration {
	if f.Quiet > 0 {
		return f.Quiet
	}
	return now.Sub(f.Came)
}

// since is when the node last got a way to the source, or lost it.
func (f Facts) since() time.Time {
	if f.Turned.IsZero() {
		return f.Came
	}
	return f.Turned
}
