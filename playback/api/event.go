package api

import "time"

// EventType is what happened.
type EventType string

// Types of events that every node has, on /api/v1/events and with --json.
const (
	EventPublish    EventType = "publish"        // at the source: an encoder has started or stopped; State says which
	EventParent     EventType = "parent_changed" // chunks come from another parent than before
	EventParentLost EventType = "parent_lost"    // there is no parent, and another one is looked for
	EventMedia      EventType = "media"          // media come, or have not come for FreshFor; State says which
	EventJoined     EventType = "joined"         // a child or a viewer, as Who says
	EventLeft       EventType = "left"           // likewise
	EventCodec      EventType = "codec"          // the media are encoded otherwise than before
	EventLimit      EventType = "limit"          // somebody was turned away, as Who says
	EventSituation  EventType = "situation"      // what a viewer sees has changed, as Situation says
	EventFollowed   EventType = "followed"       // a channel that this node's user follows went live, or has ended, as State says; for nobody but the user
	EventMissed     EventType = "missed"         // the reader was too slow for Count events
)

// Types of events that a command tells of itself. They are in what relay source --json
// and relay watch --json write, and nowhere else: one holds the stream key.
const (
	EventStart   EventType = "start"   // once, when everything is open
	EventStatus  EventType = "status"  // every 5 s
	EventWarning EventType = "warning" // once for each cause
	EventEnd     EventType = "end"     // the last one
)

// Older types of relay source --json and relay watch --json. For one more version each is
// written beside the event that has taken its place, which AliasOf names.
const (
	EventLive        EventType = "live"         // media, and codec when it changes
	EventEncoderLost EventType = "encoder_lost" // publish at a source, media at a watcher
	EventAttached    EventType = "attached"     // parent_changed
	EventOrphaned    EventType = "orphaned"     // parent_lost
)

// States of an event.
const (
	Started = "started"
	Stopped = "stopped"
)

// Event is one thing that happened at a node. Fields that say nothing about its type are
// left out of its JSON.
type Event struct {
	Seq     uint64    `json:"seq"` // +1 for each; 0 for EventMissed
	Time    time.Time `json:"time"`
	Type    EventType `json:"event"`
	AliasOf EventType `json:"alias_of,omitempty"` // the type that has taken the place of this older one
	Missed  uint64    `json:"missed,omitempty"`   // the older form of EventMissed: as its Count, in the next event
	Channel string    `json:"channel,omitempty"`  // its ID; none for what is about the whole node
	Name    string    `json:"name,omitempty"`     // the ID's short form
	State   string    `json:"state,omitempty"`    // Started or Stopped; in EventStatus a State
	Who     string    `json:"who,omitempty"`      // "child" or "viewer"
	Node    string    `json:"node,omitempty"`     // the parent's or child's tag: 12 characters of its ID; in EventStart this node's whole ID
	Reason  string    `json:"reason,omitempty"`
	By      string    `json:"by,omitempty"`     // which side of a link ended it: "us" or "them"; none if it was lost
	GapMs   *int64    `json:"gap_ms,omitempty"` // how long no chunk came
	Depth   *int      `json:"depth,omitempty"`  // links to the root
	Parent  *string   `json:"parent,omitempty"` // the parent's tag; "" if there is none
	Now     *int      `json:"now,omitempty"`    // how many there are of them after this
	Count   uint64    `json:"count,omitempty"`  // how many this one stands for
	Codec   *Codec    `json:"codec,omitempty"`
	Title   *string   `json:"title,omitempty"` // the broadcaster's words; may be empty
	// Followed is the user's own name for the channel, in EventFollowed.
	Followed string `json:"followed,omitempty"`
	// Situation is what a viewer sees, in EventSituation and EventStatus.
	Situation *Situation `json:"situation,omitempty"`
	// Not for everyone: left out on the players' listener.
	NodeID string `json:"node_id,omitempty"` // whole
	Addr   string `json:"addr,omitempty"`

	// What only a command tells of itself.
	*Start
	*Report
	*Warning
	Error      string `json:"error,omitempty"`       // why the command failed
	ParentAddr string `json:"parent_addr,omitempty"` // of the older EventAttached: as Addr
}

// Public returns what anyone may know of e.
func (e Event) Public() Event {
	return Event{
		Seq: e.Seq, Time: e.Time, Type: e.Type, Channel: e.Channel, Name: e.Name, State: e.State, Who: e.Who, Node: e.Node,
		Reason: e.Reason, By: e.By, GapMs: e.GapMs, Depth: e.Depth, Now: e.Now, Count: e.Count, Codec: e.Codec, Title: e.Title, Situation: e.Situation,
	}
}

// Start is what EventStart adds: where everything is.
type Start struct {
	Command string `json:"command"`          // source or watch
	Link    string `json:"link"`             // to share; at a watcher the one that it joins by
	Page    string `json:"page"`             // for browsers in this network
	URL     string `json:"url"`              // for players on this machine
	RTMP    string `json:"rtmp,omitempty"`   // likewise, if relay watch plays over RTMP
	Server  string `json:"server,omitempty"` // for the encoder, if one is waited for
	Key     string `json:"key,omitempty"`    // likewise
	Film    string `json:"film,omitempty"`   // the page that broadcasts from a browser on this machine, likewise
}

// Report is what EventStatus adds.
type Report struct {
	BitRate  int   `json:"bit_rate"` // bit/s
	DelayMs  int64 `json:"delay_ms"` // behind the source; at the source, of the node farthest behind
	Players  int   `json:"players"`  // at this node
	Watching *int  `json:"watching"` // how many watch the channel, here and everywhere; null if the source does not tell
	*SourceReport
	*WatchReport
}

// SourceReport is what it adds at the source.
type SourceReport struct {
	KeyIntervalMs  int64 `json:"key_interval_ms"`  // between keyframes
	Direct         int   `json:"direct"`           // children
	UploadBPS      int   `json:"upload_bps"`       // bit/s to children beyond this network
	UploadLANBPS   int   `json:"upload_lan_bps"`   // bit/s to children within it
	UploadLimitBPS int   `json:"upload_limit_bps"` // --upload, bit/s; 0 if it was not given
	// DroppedTags counts the encoder's tags that were left out, by what is wrong with them.
	DroppedTags map[string]uint64 `json:"dropped_tags,omitempty"`
	// AACOf is as [ChannelStatus.AACOf].
	AACOf string `json:"aac_of,omitempty"`
}

// WatchReport is what it adds at a watcher.
type WatchReport struct {
	Lost     uint64 `json:"lost"` // chunks
	Children int    `json:"children"`
	// Left is as [ChannelStatus.LeftPeers].
	Left map[string]uint64 `json:"left_peers,omitempty"`
}

// Warning is what EventWarning adds: it teaches.
type Warning struct {
	Code string `json:"code"` // never changes
	Text string `json:"text"` // what is wrong
	Hint string `json:"hint"` // what to do; may be empty
}
