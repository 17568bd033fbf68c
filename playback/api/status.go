package api

import "time"

// Status is what GET /api/v1/status answers.
type Status struct {
	Node     Node            `json:"node"`
	Channels []ChannelStatus `json:"channels"`
	// Refused counts what strangers, and others on their word, did not get since the node began, by
	// where ("http" for players, "rtmp", "link", "dial", "gossip", "discovery") and reason.
	Refused map[string]map[string]uint64 `json:"refused"`
}

// FullChannels is what GET /api/v1/channels answers on the operator's listener.
type FullChannels struct {
	Channels []ChannelStatus `json:"channels"`
}

// Node describes the node itself.
type Node struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	UptimeS int64  `json:"uptime_s"`
	// PortMapping is null if no router is asked.
	PortMapping *PortMapping `json:"port_mapping"`
}

// Channel is what every document says of a channel that is open at a node.
type Channel struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`  // the ID's short form
	Title       string    `json:"title"` // the broadcaster's words; may be empty
	State       State     `json:"state"`
	Situation   Situation `json:"situation"`
	Codec       Codec     `json:"codec"`
	BitRate     int       `json:"bit_rate"` // bit/s, over the last seconds
	DelayMs     int64     `json:"delay_ms"` // behind the root, as DelayMs counts
	Root        bool      `json:"root"`     // this node is it
	Depth       int       `json:"depth"`    // links to the root
	ViewerCount int       `json:"viewer_count"`
	Watching    *int      `json:"watching"` // how many watch the channel, here and everywhere; null if the source does not tell
	// Lacks names, for each of URLs that has no place for one of the stream's codecs, these
	// codecs.
	Lacks map[string][]string `json:"lacks,omitempty"`
	// DroppedTags counts the encoder's tags that were left out at the source, by what is wrong
	// with them.
	DroppedTags map[string]uint64 `json:"dropped_tags,omitempty"`
	// AACOf is the codec of the sound that comes in at the source, if ffmpeg makes AAC of it there.
	AACOf string `json:"aac_of,omitempty"`
	// Reach is whether others get through to this node, past its firewall and its router, as a
	// parent beyond this network has found out: [ReachOpen], [ReachPunchable] or [ReachClosed]; ""
	// if none has tried.
	Reach string `json:"reach"`
	// Private says that only those who have the channel's secret watch it. No link here has that.
	Private bool `json:"private,omitempty"`
	// Unread says that this node has the join part of the secret alone: it passes the channel on and
	// cannot play it.
	Unread bool `json:"unread,omitempty"`
	// Kept is the part of the channel that this node keeps, so that viewers can begin there; nil if none.
	Kept *Kept `json:"kept,omitempty"`
	// Recording is what was found of a stream that says that it is a recording of a channel; nil if it does not.
	Recording *Recorded `json:"recording,omitempty"`
}

// Recorded tells what a node has found of a stream that says that it is a recording of a channel, since it has watched.
type Recorded struct {
	Of       string `json:"of"`       // the channel's ID
	Name     string `json:"name"`     // its short form
	MadeMs   int64  `json:"made_ms"`  // when the newest of what is proved was signed, Unix milliseconds by that channel's source; 0 if nothing is
	Proved   uint64 `json:"proved"`   // tags of media that the channel's source has signed
	Unproved uint64 `json:"unproved"` // others, but for those that wait for their proof
}

// Shown reports whether all that has come was signed by that channel's source.
func (r *Recorded) Shown() bool { return r.Proved > 0 && r.Unproved == 0 }

// Kept is what a node keeps of a channel on disk. Times are Unix milliseconds by the source's clock. Between
// them some may be missing.
type Kept struct {
	FromMs int64 `json:"from_ms"`
	ToMs   int64 `json:"to_ms"`
	Bytes  int64 `json:"bytes"`
}

// ChannelStatus is one channel as whoever runs the node may know it: with addresses and
// whole node IDs.
type ChannelStatus struct {
	Channel
	URL string `json:"url"` // for a player
	Share
	NodeName  string   `json:"node_name"`  // what this node calls itself in the channel; may be empty
	Attached  bool     `json:"attached"`   // there is a parent, or this node is the root
	Path      []string `json:"path"`       // node IDs, from the root to this node
	Parent    *Peer    `json:"parent"`     // null at the root, and while there is none
	Children  []Child  `json:"children"`   // nodes that take the channel from this one
	Slots     int      `json:"slots"`      // children there may be
	ReachAddr string   `json:"reach_addr"` // where it has tried; "" likewise
	// Reached is what others have found out over IPv4 and over IPv6: a parent, or a node that was
	// asked to dial back. A family over which nobody has tried is left out.
	Reached []Reached `json:"reached"`
	Came    time.Time `json:"came,omitzero"` // the newest chunk; left out if there was none
	Sent    Sent      `json:"sent"`          // since the channel was opened here
	Chunks  Chunks    `json:"chunks"`
	Ring    Ring      `json:"ring"`
	Viewers []Viewer  `json:"viewers"`
	// LeftPeers counts the nodes that this one has left because of what they did, by reason.
	LeftPeers map[string]uint64 `json:"left_peers,omitempty"`
	// CallsRefused counts what other nodes said in calls and was not done, by reason.
	CallsRefused map[string]uint64 `json:"calls_refused,omitempty"`
}

// What is known of whether others get through to a node.
const (
	ReachOpen   = "open"
	ReachClosed = "closed"
	// ReachPunchable is a node that nobody can dial. Others get through if it is called at the
	// same time, by a node that both are linked with.
	ReachPunchable = "punchable"
)

// Reached is what others have found out over one family of addresses.
type Reached struct {
	Family string `json:"family"` // "IPv4" or "IPv6"
	Reach  string `json:"reach"`  // as in [Channel]
	Addr   string `json:"addr"`   // that was dialled
}

// ReachText says in one sentence, for whoever runs the node, whether others get through to it; "" if
// that is not known.
func (s ChannelStatus) ReachText() string {
	over := make(map[string]string)
	for _, r := range s.Reached {
		over[r.Reach] = r.Family
	}
	if len(over) == 2 { // the families differ
		open, punchable := over[ReachOpen], over[ReachPunchable]
		switch {
		case open == "":
			return "Nobody can dial this node, but over " + punchable + " others get through where their routers and this one let the two meet."
		case punchable == "":
			return "Others get through to this node over " + open + ", and nobody does over " + over[ReachClosed] + "."
		}
		return "Others get through to this node over " + open + ", and over " + punchable + " where their routers and this one let the two meet."
	}
	reach := s.Reach
	if reach == "" && len(s.Reached) > 0 { // of a source, which has no parent
		reach = s.Reached[0].Reach
	}
	switch reach {
	case ReachOpen:
		return "Others get through to this node."
	case ReachPunchable:
		return "Nobody can dial this node, but others get through where their routers and this one let the two meet."
	case ReachClosed:
		if s.Root {
			return "Nobody gets through to this source. relay doctor says what to do."
		}
		return "Nobody gets through to this node: it watches. relay doctor says what to do to pass the stream on."
	}
	return ""
}

// Share is what people share to have others watch a channel. What is not known is
// empty.
type Share struct {
	Link string `json:"link"` // for relay watch
	Page string `json:"page"` // the page's address, the one that other machines reach if there is one
}

// Peer is the node at the other end of a link.
type Peer struct {
	ID   string `json:"id"`
	Name string `json:"name"` // what it calls itself, as it has signed it; may be empty
	// AtHome says that the name is for those in this machine's own networks.
	AtHome bool   `json:"-"`
	Addr   string `json:"addr"`
	Near   bool   `json:"near"` // in one of this machine's own subnets
}

// Child is a node that takes the channel from this one.
type Child struct {
	Peer
	Reach  string `json:"reach"`  // as of the node here, found out by this one
	Missed uint64 `json:"missed"` // chunks it did not get because it fell behind
	Moves  uint64 `json:"moves"`  // times it was moved ahead for that
}

// Codec describes the media by its header. What is not known is empty or 0.
type Codec struct {
	Video     string  `json:"video"`
	Audio     string  `json:"audio"`
	Width     int     `json:"width"`  // pixels
	Height    int     `json:"height"` // pixels
	FrameRate float64 `json:"frame_rate"`
}

// Sent counts what went out, in bytes.
type Sent struct {
	Children uint64 `json:"children"` // of chunks' payload
	Viewers  uint64 `json:"viewers"`
}

// Chunks counts what came from the parent, or at the root from the writer.
type Chunks struct {
	Received  uint64 `json:"received"`
	Lost      uint64 `json:"lost"`
	Duplicate uint64 `json:"duplicate"`
	Bytes     uint64 `json:"bytes"` // payload of those received
}

// Ring describes what is held for readers.
type Ring struct {
	Held   int   `json:"held"` // chunks
	Bytes  int   `json:"bytes"`
	SpanMs int64 `json:"span_ms"`
}

// Viewer is a player that is connected.
type Viewer struct {
	Addr   string    `json:"addr"`
	Since  time.Time `json:"since"`
	Bytes  uint64    `json:"bytes"`
	Missed uint64    `json:"missed"` // chunks it did not get because it fell behind
	Moves  uint64    `json:"moves"`  // times it was moved ahead for that
}
