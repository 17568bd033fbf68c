package api

// Follows is what GET /api/v1/followed answers, to programs on the same machine alone.
type Follows struct {
	Channels []Followed `json:"channels"`
}

// Followed is a channel that the node's user follows.
type Followed struct {
	ID    string `json:"id"`
	Name  string `json:"name"`  // the ID's short form
	As    string `json:"as"`    // the user's own name for it
	Title string `json:"title"` // a stranger's text; may be empty
	// State is "live", "waiting" if its source sends nothing, "on" if a node has a way to its source and did not
	// tell whether that sends, or "off".
	State string `json:"state"`
	Open  bool   `json:"open"` // it is open at this node
}
