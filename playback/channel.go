package playback

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"relay/playback/api"
	"relay/relay/naming"
	"relay/relay/stream"
)

// Channel is one channel that can be watched here.
type Channel struct {
	id    stream.ChannelID
	ring  *stream.Ring
	facts func() api.Facts
	stats func() stream.Stats // of the chunks that the node carries: those in ring, if it can read them

	private bool  // set before the channel is shown
	unread  bool  // likewise
	kept    *kept // likewise; nil if nothing is

	thumb      thumbnail
	screenings screenings
	recording  recording

	mu      sync.Mutex
	viewers map[*presence]struct{}
	gone    uint64  // bytes, to viewers that have left
	events  *Events // nil for none
}

// NewChannel returns a channel that plays from ring. facts is called for every document
// and must be safe for concurrent use. It may be nil: then the channel is as live as its
// ring.
func NewChannel(id stream.ChannelID, ring *stream.Ring, facts func() api.Facts) *Channel {
	if facts == nil {
		facts = func() api.Facts { return api.Facts{Attached: true, Came: ring.Came()} }
	}
	return &Channel{id: id, ring: ring, facts: facts, stats: ring.Stats, viewers: make(map[*presence]struct{})}
}

// ID returns the channel's ID.
func (c *Channel) ID() stream.ChannelID { return c.id }

// Viewers returns how many viewers there are: players that are connected, and one for
// all who watch the channel as HLS.
func (c *Channel) Viewers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.viewers)
}

// TellViewers has the channel tell e of viewers that come and go. Call it before the
// channel is shown.
func (c *Channel) TellViewers(e *Events) { c.events = e }

// Private says that only those who have its secret watch the channel, and whether this node has it. If it
// has not, it turns players away. Call it before the channel is shown.
func (c *Channel) Private(canRead bool) { c.private, c.unread = true, !canRead }

// Carries says that the node carries other chunks than those it plays: sealed ones, of which stats tells.
// Call it before the channel is shown.
func (c *Channel) Carries(stats func() stream.Stats) { c.stats = stats }

// Situation says what a viewer sees.
func (c *Channel) Situation(now time.Time) api.Situation { return api.SituationOf(c.facts(), now) }

// state says what the channel is doing.
func (c *Channel) state(now time.Time) api.State { return api.StateOf(c.facts(), now) }

// sent returns how many bytes all viewers have taken, including those that have left.
func (c *Channel) sent() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := c.gone
	for v := range c.viewers {
		sent += v.bytes.Load()
	}
	return sent
}

func (c *Channel) join(v *presence) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.viewers[v] = struct{}{}
	c.tell(api.EventJoined, v, "")
}

func (c *Channel) leave(v *presence, why reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.viewers, v)
	c.gone += v.bytes.Load()
	c.tell(api.EventLeft, v, why)
}

// tell is called with mu held.
func (c *Channel) tell(what api.EventType, v *presence, why reason) {
	now := len(c.viewers)
	c.events.Tell(api.Event{Type: what, Channel: c.id.String(), Name: c.id.Short(), Who: "viewer", Reason: string(why), Now: &now, Addr: v.addr})
}

// present returns the viewers, the first to come first.
func (c *Channel) present() []*presence {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*presence, 0, len(c.viewers))
	for v := range c.viewers {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b *presence) int {
		if d := a.since.Compare(b.since); d != 0 {
			return d
		}
		return strings.Compare(a.addr, b.addr)
	})
	return all
}

// path returns the path under which the node's HTTP listener plays the channel.
func (c *Channel) path() string { return "/" + c.id.Short() + formats[0].suffix }

// playable returns what find does, if this node can play it.
func playable(channels []*Channel, name string) (*Channel, error) {
	c, err := find(channels, name)
	if err == nil && c.unread {
		return nil, errUnread
	}
	return c, err
}

// find returns the one channel whose ID is name or starts with it. Its error is a sentence
// for whoever asked.
func find(channels []*Channel, name string) (*Channel, error) {
	all := make([]naming.Channel, len(channels))
	for i, c := range channels {
		all[i].ID = c.id.String() // titles are no part of an address
	}
	i, err := naming.One(name, all)
	if many, ok := errors.AsType[*naming.AmbiguousError](err); ok {
		return nil, ambiguous(naming.List(many.Channels))
	} else if err != nil {
		return nil, ErrNoChannel
	}
	return channels[i], nil
}
