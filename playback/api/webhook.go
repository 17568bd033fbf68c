package api

import "time"

// Call is what the webhook is sent.
type Call struct {
	Event   string    `json:"event"` // "started": media come; "stopped": none for 5 s, or the channel was closed here
	Time    time.Time `json:"time"`
	Channel string    `json:"channel"` // its ID
	Name    string    `json:"name"`    // the ID's short form
	Title   string    `json:"title"`   // the broadcaster's words; may be empty
	Source  bool      `json:"source"`  // this node is the channel's source
	Node    string    `json:"node"`    // this node's tag: 12 characters of its ID
	Codec   Codec     `json:"codec"`
	BitRate int       `json:"bit_rate"` // bit/s; 0 if not known yet
}
