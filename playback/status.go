package playback

import (
	"time"
)

// Status is what GET /api/status answers. Durations are in milliseconds and bit
// rates in bit/s unless the name says otherwise; lists are never null.
type Status struct {
	Node     Node            `json:"node"`
	Channels []ChannelStatus `json:"channels"`
}

// Node describes the node itself.
type Node struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	UptimeS int64  `json:"uptime_s"`
}

// State is what a channel is doing at this node.
type State string

// States of a channel.
const (
	Live         State = "live"         // media comes
	Waiting      State = "waiting"      // there has been no media yet
	Reconnecting State = "reconnecting" // the parent, or at the root the encoder, is lost
	Ended        State = "ended"        // so long ago that nobody should wait for it
)

// Tree is the node's place in a channel's tree, as its engine knows it.
type Tree struct {
	State    State    `json:"state"` // if empty, it is told by the ring: live or waiting
	Root     bool     `json:"root"`
	Depth    int      `json:"depth"`
	Path     []string `json:"path"`   // node IDs, from the root to this node
	Parent   *Peer    `json:"parent"` // null at the root, and while there is none
	Children []Child  `json:"children"`
	DelayMs  int64    `json:"delay_ms"` // behind the root
}

// Peer is the node at the other end of a link.
type Peer struct {
	ID   string `json:"id"`
	Addr string `json:"addr"`
	Near bool   `json:"near"` // in one of this machine's own subnets
}

// Child is a node that takes the channel from this one.
type Child struct {
	Peer
	Missed uint64 `json:"missed"` // chunks it did not get because it fell behind
	Moves  uint64 `json:"moves"`  // times it was moved ahead for that
}

// ChannelStatus describes one channel.
type ChannelStatus struct {
	ID    string `json:"id"`
	Name  string `json:"name"`  // the ID's short form
	Title string `json:"title"` // the broadcaster's words; may be empty
	URL   string `json:"url"`   // for a player
	Share
	Codec   Codec `json:"codec"`
	BitRate int   `json:"bit_rate"`
	Tree
	Chunks      Chunks   `json:"chunks"`
	Ring        Ring     `json:"ring"`
	ViewerCount int      `json:"viewer_count"`
	Viewers     []Viewer `json:"viewers"`
}

// Codec describes the media by its header. What is not known is empty or 0.
type Codec struct {
	Video     string  `json:"video"`
	Audio     string  `json:"audio"`
	Width     int     `json:"width"`
	Height    int     `json:"height"`
	FrameRate float64 `json:"frame_rate"`
}

// Chunks counts what came from the parent, or at the root from the writer.
type Chunks struct {
	Received  uint64 `json:"received"`
	Lost      uint64 `json:"lost"`
	Duplicate uint64 `json:"duplicate"`
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

// status describes the channel now; url is its address for a player.
func (c *Channel) status(url string) ChannelStatus {
	ring := c.ring.Stats()
	s := ChannelStatus{
		ID:      c.id.String(),
		Name:    c.id.Short(),
		Title:   c.title(),
		URL:     url,
		BitRate: ring.BitRate,
		Tree:    c.tree(),
		Chunks:  Chunks{Received: ring.Received, Lost: ring.Lost, Duplicate: ring.Duplicate},
		Ring:    Ring{Held: ring.Held, Bytes: ring.Memory, SpanMs: ring.Span.Milliseconds()},
		Viewers: []Viewer{},
	}
	s.State = c.state(s.Tree)
	if s.Path == nil {
		s.Path = []string{}
	}
	if s.Children == nil {
		s.Children = []Child{}
	}
	s.Codec = c.codec()
	for _, v := range c.present() {
		s.Viewers = append(s.Viewers, Viewer{v.addr, v.since, v.bytes.Load(), v.missed.Load(), v.moves.Load()})
	}
	s.ViewerCount = len(s.Viewers)
	return s
}

// state returns what the engine says, or else what the ring shows.
func (c *Channel) state(t Tree) State {
	switch {
	case t.State != "":
		return t.State
	case c.ring.Head().Seq == 0:
		return Waiting
	}
	return Live
}
