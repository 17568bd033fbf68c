package api

// Trees is what GET /api/v1/tree answers: one tree for each channel, or the one of
// ?channel=ID.
type Trees struct {
	Channels []ChannelTree `json:"channels"`
}

// ChannelTree is the whole tree of one channel, as the node SeenBy knows it. A node
// is named by the first 12 characters of its ID.
type ChannelTree struct {
	ID       string      `json:"id"`
	Name     string      `json:"name"`     // the ID's short form
	Title    string      `json:"title"`    // the broadcaster's words; may be empty
	Self     string      `json:"self"`     // the node that answers
	SeenBy   string      `json:"seen_by"`  // the root, if it could be asked; always the first of Nodes
	Problem  string      `json:"problem"`  // why it is not the root; "" if it is
	Watching *int        `json:"watching"` // how many watch the channel; null if the source does not tell
	Summary  TreeSummary `json:"summary"`
	Nodes    []TreeNode  `json:"nodes"` // each after its parent, and before what comes below its next sibling
	Cut      TreeCut     `json:"cut"`
	PeerCast *PeerCast   `json:"peercast,omitempty"` // of the node that answers; null if it does not serve PeerCast
}

// PeerCast is how many PeerCasts have the channel from this node. The one that are connected here have been
// seen; the rest is what they say.
type PeerCast struct {
	Connected int `json:"connected"`
	Behind    int `json:"behind"`    // that they tell of
	Listeners int `json:"listeners"` // that all of them say they play for
}

// TreeNode is one node, as it has told itself.
type TreeNode struct {
	ID        string `json:"id"`
	Name      string `json:"name"`   // what it calls itself, as it has signed it; may be empty
	AtHome    bool   `json:"-"`      // the name is for those in this machine's own networks
	Parent    int    `json:"parent"` // its place in Nodes; -1 for the first
	Depth     int    `json:"depth"`  // links to the root
	Slots     int    `json:"slots"`
	SlotsFree int    `json:"slots_free"`
	Children  int    `json:"children"` // that it has; fewer may be listed
	DelayMs   int64  `json:"delay_ms"` // behind the root; 0 if not known
	Lost      int64  `json:"lost"`     // chunks, since it joined
	UploadBPS int64  `json:"upload_bps"`
	UptimeS   int64  `json:"uptime_s"` // in this channel
	Version   string `json:"version"`  // of the program: printable ASCII; may be empty
	Orphan    bool   `json:"orphan"`   // it, or a node above it, has no live parent
	Unheard   bool   `json:"unheard"`  // it has told nothing yet: only slots, children and lost mean anything
}

// Source reports whether the node is the channel's source: a node that has never had a way to one has no depth
// either.
func (n TreeNode) Source() bool { return n.Depth == 0 && !n.Orphan }

// TreeCut sums up nodes that are too many to list.
type TreeCut struct {
	Nodes        int   `json:"nodes"`
	MaxDepth     int   `json:"max_depth"`
	WorstDelayMs int64 `json:"worst_delay_ms"`
	Lost         int64 `json:"lost"`
	SlotsFree    int64 `json:"slots_free"`
}

// TreeSummary is about all nodes, listed or not.
type TreeSummary struct {
	Nodes        int     `json:"nodes"`
	MaxDepth     int     `json:"max_depth"`
	MeanDepth    float64 `json:"mean_depth"` // of those that are listed, the root left out
	SlotsFree    int64   `json:"slots_free"`
	WorstDelayMs int64   `json:"worst_delay_ms"`
	Lost         int64   `json:"lost"`
	Orphans      int     `json:"orphans"` // of those that are listed
}

// ForStrangers takes out the names that are for those in this machine's own networks.
func (t *ChannelTree) ForStrangers() {
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.AtHome {
			n.Name = ""
		}
	}
}

// Summarize fills in the summary from the nodes and the cut.
func (t *ChannelTree) Summarize() {
	s := TreeSummary{
		Nodes:        len(t.Nodes) + t.Cut.Nodes,
		MaxDepth:     t.Cut.MaxDepth,
		SlotsFree:    t.Cut.SlotsFree,
		WorstDelayMs: t.Cut.WorstDelayMs,
		Lost:         t.Cut.Lost,
	}
	depths, below := 0, 0
	for _, n := range t.Nodes {
		s.MaxDepth = max(s.MaxDepth, n.Depth)
		s.SlotsFree += int64(n.SlotsFree)
		s.WorstDelayMs = max(s.WorstDelayMs, n.DelayMs)
		s.Lost += n.Lost
		if n.Orphan {
			s.Orphans++
		}
		if n.Depth > 0 {
			depths += n.Depth
			below++
		}
	}
	if below > 0 {
		s.MeanDepth = float64(depths) / float64(below)
	}
	t.Summary = s
}
