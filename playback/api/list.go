package api

// Listed is one line of relay list --json: a channel that was found on this network, that the user follows, or in a directory.
type Listed struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`        // the ID's short form
	Title      string   `json:"title"`       // a stranger's text; may be empty
	State      string   `json:"state"`       // live, waiting or lost; of one that is not on this network as [Followed].State
	BitRate    int      `json:"bit_rate"`    // bit/s
	BitRateBPS int      `json:"bitrate_bps"` // the older name of bit_rate, for one more version
	Source     bool     `json:"source"`      // the source itself answered
	Addrs      []string `json:"addrs"`       // of nodes that have the channel, the source first
	Link       string   `json:"link"`        // empty if no address means something on another machine
	FoundMs    float64  `json:"found_ms"`    // from the first question to the first answer
	NodeName   string   `json:"node_name"`   // what the node at the first of Addrs calls itself; may be empty
	Followed   string   `json:"followed"`    // the user's own name for the channel; empty if it is not followed

	Directory *InDirectory `json:"directory,omitempty"` // what a directory tells of it; null if it was found on this network
}

// InDirectory is what a list tells of a channel. The texts are its broadcaster's, cleaned.
type InDirectory struct {
	At          string      `json:"at"` // the address of the list
	Genre       string      `json:"genre,omitempty"`
	Description string      `json:"description,omitempty"`
	Comment     string      `json:"comment,omitempty"` // as for PeerCast's lists; of a channel of PeerCast's it is below
	URL         string      `json:"url,omitempty"`     // http or https
	Codecs      string      `json:"codecs,omitempty"`
	Listeners   *int        `json:"listeners"`          // in the whole tree, on the broadcaster's word; null if it does not tell
	Seq         int64       `json:"seq,omitempty"`      // when the broadcaster signed that, Unix ms; 0 for PeerCast, where nothing is signed
	PeerCast    *InPeerCast `json:"peercast,omitempty"` // of a channel of PeerCast's, in an index.txt
}

// InPeerCast is what an index.txt tells besides.
type InPeerCast struct {
	Tip      string `json:"tip"`    // host:port; empty if nobody can be reached
	Relays   int    `json:"relays"` // negative if hidden
	Type     string `json:"type"`
	Artist   string `json:"artist,omitempty"`
	Album    string `json:"album,omitempty"`
	Track    string `json:"track,omitempty"`
	TrackURL string `json:"track_url,omitempty"`
	UptimeS  int64  `json:"uptime_s"`
	Comment  string `json:"comment,omitempty"`
	Direct   bool   `json:"direct"` // players may fetch it from the tip
}
