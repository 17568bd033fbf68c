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
	// maxSeen bounds the channels that are listed, and maxSeenAddrs the addresses of
	// one: somebody may make them up.
	maxSeen      = 256
	MaxSeenAddrs = 16
)

// Channel is a channel as the nodes that answered tell of it.
type Channel struct {
	discovery.Channel
	Addrs   []netip.AddrPort // of nodes that carry it, its source first
	after   time.Duration    // from the first query to the first answer
	sources int              // of addrs
}

// Catalog is what was found. Its zero value is empty.
type Catalog struct {
	Channels []*Channel // in the order in which they were found
}

// Add takes in what a node told, a stranger whose title is cleaned here.
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
	// The source knows best; of the others, who knows more.
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

// Sorted is all channels for people: those that live first, then by name.
func (c *Catalog) Sorted() []*Channel {
	return slices.SortedFunc(slices.Values(c.Channels), func(a, b *Channel) int {
		return cmp.Or(cmp.Compare(a.State, b.State), cmp.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)), slices.Compare(a.ID[:], b.ID[:]))
	})
}

// choice is the channels that someone may mean who names none: those that have a way to
// their source, or if there is none such, all.
func (c *Catalog) choice() []*Channel {
	all := c.Sorted()
	if n := slices.IndexFunc(all, func(s *Channel) bool { return s.State == discovery.Lost }); n > 0 {
		return all[:n]
	}
	return all
}

// named is the channels that a name may mean.
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

// asTold is a name as it would be told as a title.
func asTold(name string) string { return discovery.CutTitle(flv.CleanTitle(name)) }

// Name is what a channel is called, with what tells it from others of that name.
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
