package api

import "time"

// EventType is what happened.
type EventType string

// Types of events.
const (
	EventPublish    EventType = "publish"        // at the source: an encoder has started or stopped; State says which
	EventParent     EventType = "parent_changed" // chunks come from another parent than before
	EventParentLost EventType = "parent_lost"    // there is no parent, and another one is looked for
	EventMedia      EventType = "media"          // media come, or have not come for 5 s; State says which
	EventJoined     EventType = "joined"         // a child or a viewer, as Who says
	EventLeft       EventType = "left"           // likewise
	EventCodec      EventType = "codec"          // the media are encoded otherwise than before
	EventLimit      EventType = "limit"          // somebody was turned away, as Who says
	EventMissed     EventType = "missed"         // the reader was too slow for Count events
)

// Event is one thing that happened at a node. Fields that say nothing about its
// type are left out of its JSON.
type Event struct {
	Seq     uint64    `json:"seq"` // +1 for each; 0 for EventMissed
	Time    time.Time `json:"time"`
	Type    EventType `json:"event"`
	Channel string    `json:"channel,omitempty"` // its ID; none for a limit of the whole node
	Name    string    `json:"name,omitempty"`    // the ID's short form
	State   string    `json:"state,omitempty"`   // "started" or "stopped"
	Who     string    `json:"who,omitempty"`     // "child" or "viewer"
	Node    string    `json:"node,omitempty"`    // the parent's or child's tag: 12 characters of its ID
	Reason  string    `json:"reason,omitempty"`
	By      string    `json:"by,omitempty"`     // which side of a link ended it: "us" or "them"; none if it was lost
	GapMs   *int64    `json:"gap_ms,omitempty"` // how long no chunk came
	Depth   int       `json:"depth,omitempty"`  // links to the root
	Now     *int      `json:"now,omitempty"`    // how many there are of them after this
	Count   uint64    `json:"count,omitempty"`  // how many this one stands for
	Codec   *Codec    `json:"codec,omitempty"`
	// Not for everyone: left out on the players' listener.
	NodeID string `json:"node_id,omitempty"` // whole
	Addr   string `json:"addr,omitempty"`
}

// Public returns e without what only the node's owner may know.
func (e Event) Public() Event {
	e.NodeID, e.Addr = "", ""
	return e
}
