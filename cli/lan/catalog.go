package lan

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"relay/ingest/flv"
	"relay/relay/discovery"
	"relay/relay/naming"
)

const (
	// maxSeen bounds the channels in a list, and MaxSeenAddrs the addresses of one channel,
	// because somebody may make them up.
	maxSeen      = 256
	MaxSeenAddrs = 16
)

// Channel is a channel as the nodes that answered describe it.
type Channel struct {
	discovery.Channel
	Addrs []netip.AddrPort // of the nodes that carry it, its source first
	// What others find out: what the node at the first address calls itself, and what the user calls the
	// channel. Both may be empty.
	Node, Followed string
	after          time.Duration // from the first query to the first answer
	sources        int           // how many of Addrs are the source's
}

// Catalog holds the channels that a search has found. Its zero value is empty.
type Catalog struct {
	Channels []*Channel // in the order in which they were found
}

// Add takes in what a node answered. The node is a stranger, so Add cleans its title.
func (c *Catalog) Add(f discovery.Found) {
	f.Title = flv.CleanTitle(f.Title)
	i := slices.IndexFunc(c.Channels, func(s *Channel) bool { return s.ID == f.ID })
	if i < 0 {
		if len(c.Channels) == maxSeen {
			return
		}
		i = len(c.Channels)
		c.Channels = append(c.Channels, &Channel{Channel: f.Channel, after: f.After})
	}
	s := c.Channels[i]
	// The source knows best. Among the others, the one that knows more counts.
	if f.Title != "" && (s.Title == "" || f.Source) {
		s.Title = f.Title
	}
	if f.BitRate > 0 && (s.BitRate == 0 || f.Source) {
		s.BitRate = f.BitRate
	}
	s.State = min(s.State, f.State)
	s.Source = s.Source || f.Source
	if slices.Contains(s.Addrs, f.Addr) {
		return
	}
	if len(s.Addrs) == MaxSeenAddrs {
		if !f.Source || s.sources == MaxSeenAddrs {
			return
		}
		s.Addrs = s.Addrs[:MaxSeenAddrs-1]
	}
	if f.Source {
		s.Addrs = slices.Insert(s.Addrs, s.sources, f.Addr)
		s.sources++
		return
	}
	s.Addrs = append(s.Addrs, f.Addr)
}

// Sorted returns all channels in the order for people: live ones first, then by name.
func (c *Catalog) Sorted() []*Channel {
	return slices.SortedFunc(slices.Values(c.Channels), func(a, b *Channel) int {
		return cmp.Or(cmp.Compare(a.State, b.State), cmp.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)), slices.Compare(a.ID[:], b.ID[:]))
	})
}

// choice returns the channels that a person may mean without naming one: those that have a way
// to their source, or all if there are no such channels.
func (c *Catalog) choice() []*Channel {
	all := c.Sorted()
	if n := slices.IndexFunc(all, func(s *Channel) bool { return s.State == discovery.Lost }); n > 0 {
		return all[:n]
	}
	return all
}

// named returns the channels that a name may mean.
func (c *Catalog) named(name string) []*Channel {
	all := c.Sorted()
	var ss []*Channel
	for _, i := range naming.Meant(asTold(name), calledOf(all)) {
		ss = append(ss, all[i])
	}
	return ss
}

// missed says why a name means no channel.
func (c *Catalog) missed(name string) error {
	_, err := naming.One(asTold(name), calledOf(c.Channels))
	if none, ok := errors.AsType[*naming.NoneError](err); ok && none.Short {
		return none
	}
	return fmt.Errorf("no channel on this network has a title or an ID that begins with %q", name)
}

// asTold returns a name in the form that it would have as an announced title.
func asTold(name string) string { return discovery.CutTitle(flv.CleanTitle(name)) }

// Name returns a channel's name, with what distinguishes it from others of that name.
func (s *Channel) Name() string { return s.called().String() }

func (s *Channel) called() naming.Channel {
	return naming.Channel{ID: s.ID.String(), Names: []string{s.Title}}
}

func calledOf(ss []*Channel) []naming.Channel {
	var all []naming.Channel
	for _, s := range ss {
		all = append(all, s.called())
	}
	return all
}

// seenText names channels in one line.
func seenText(ss []*Channel) string { return naming.List(calledOf(ss)) }
