package api

import "time"

const (
	// FreshFor is how long no media may come before a channel no longer counts as live:
	// longer than any encoder pauses between two frames, and than a tree takes to repair
	// itself.
	FreshFor = 5 * time.Second
	// EndedAfter is how long no media may come before nobody should wait for more: longer
	// than a broadcaster takes to start an encoder again.
	EndedAfter = time.Minute
)

// State is what a channel is doing at a node.
type State string

// States of a channel.
const (
	Live         State = "live"         // media come
	Waiting      State = "waiting"      // there has been no media yet
	Reconnecting State = "reconnecting" // the parent, or at the root the encoder, is lost
	Ended        State = "ended"        // so long ago that nobody should wait for it, as far as the node can know
)

// Facts are what a node's engine knows of one channel at one moment. The state, the
// documents, the metrics and readiness all come from them.
type Facts struct {
	Closed   bool          // the channel has been closed here
	Idle     bool          // this node is the root, and no encoder is sending
	Attached bool          // there is a parent, or this node is the root
	Turned   time.Time     // since when Attached is what it is; zero if not known
	Answers  Answers       // of those that were asked while there is no parent
	Begun    bool          // the root has had media
	Missing  bool          // it has some that have not come here
	Came     time.Time     // when the newest chunk came; zero if there was none
	Quiet    time.Duration // since the newest chunk was made, by the root's clock; 0 if not known

	Root      bool
	Depth     int      // links to the root
	Name      string   // what this node calls itself in the channel; may be empty
	Watching  *int     // how many watch the channel; nil if not known
	Path      []string // node IDs, from the root to this node
	Parent    *Peer    // nil at the root, and while there is none
	ParentTag string   // the part of the parent's ID that strangers are told; "" likewise
	Children  []Child
	Slots     int    // children there may be
	Reach     string // as [ChannelStatus.Reach]
	ReachAddr string // likewise
	Reached   []Reached
	// LeftPeers is as [ChannelStatus.LeftPeers].
	LeftPeers map[string]uint64
	// CallsRefused is as [ChannelStatus.CallsRefused].
	CallsRefused map[string]uint64
	// DroppedTags counts the tags that were left out at the root, by what was wrong with them.
	DroppedTags map[string]uint64
	// AACOf is as [ChannelStatus.AACOf].
	AACOf string
	Delay time.Duration // behind the root; 0 if not known
	Sent  uint64        // payload bytes to children, since the channel was opened
}

// StateOf is the situation in fewer words, for programs. Nothing else in the program calls a channel live:
// media must have come within FreshFor, and more must be on its way.
func StateOf(f Facts, now time.Time) State {
	switch SituationOf(f, now).Name {
	case OnAir:
		return Live
	case Over:
		return Ended
	}
	if f.Came.IsZero() {
		return Waiting
	}
	return Reconnecting
}

// late is how old the newest chunk was when it came. What a node gets from another's ring
// when it joins has only just come, but may be from before the source fell silent.
func (f Facts) late(now time.Time) time.Duration { return f.Quiet - now.Sub(f.Came) }

// Fresh reports whether media came within FreshFor; came is when the newest chunk did,
// zero if there was none. A channel stays fresh through a change of parents and through
// an encoder's restart that take less, though it is not live for that moment: readiness
// and the media event go by it, so that they do not flap.
func Fresh(came, now time.Time) bool { return !came.IsZero() && now.Sub(came) < FreshFor }

// DelayMs returns a delay behind the root in milliseconds, rounded down. One that is known is at
// least 1, because 0 says that it is not known.
func DelayMs(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return max(1, d.Milliseconds())
}
