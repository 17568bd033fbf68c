package api

// Listed is one line of relay list --json: a channel that was found on this network, or that the user follows.
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
}
