package cli

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
	maxSeenAddrs = 16
)

// seen is a channel as the nodes that answered tell of it.
type seen struct {
	discovery.Channel
	addrs   []netip.AddrPort // of nodes that carry it, its source first
	after   time.Duration    // from the first query to the first answer
	sources int              // of addrs
}

// catalog is what was found. Its zero value is empty.
type catalog struct {
	of []*seen // in the order in which they were found
}

// add takes in what a node told, a stranger whose title is cleaned here.
func (c *catalog) add(f discovery.Found) {
	f.Title = flv.CleanTitle(f.Title)
	i := slices.IndexFunc(c.of, func(s *seen) bool { return s.ID == f.ID })
	if i < 0 {
		if len(c.of) == maxSeen {
			return
		}
		i = len(c.of)
		c.of = append(c.of, &seen{Channel: f.Channel, after: f.After})
	}
	s := c.of[i]
	// The source knows best; of the others, who knows more.
	if f.Title != "" && (s.Title == "" || f.Source) {
		s.Title = f.Title
	}
	if f.BitRate > 0 && (s.BitRate == 0 || f.Source) {
		s.BitRate = f.BitRate
	}
	s.State = min(s.State, f.State)
	s.Source = s.Source || f.Source
	if slices.Contains(s.addrs, f.Addr) {
		return
	}
	if len(s.addrs) == maxSeenAddrs {
		if !f.Source || s.sources == maxSeenAddrs {
			return
		}
		s.addrs = s.addrs[:maxSeenAddrs-1]
	}
	if f.Source {
		s.addrs = slices.Insert(s.addrs, s.sources, f.Addr)
		s.sources++
		return
	}
	s.addrs = append(s.addrs, f.Addr)
}

// sorted is all channels for people: those that live first, then by name.
func (c *catalog) sorted() []*seen {
	return slices.SortedFunc(slices.Values(c.of), func(a, b *seen) int {
		return cmp.Or(cmp.Compare(a.State, b.State), cmp.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)), slices.Compare(a.ID[:], b.ID[:]))
	})
}

// choice is the channels that someone may mean who names none: those that have a way to
// their source, or if there is none such, all.
func (c *catalog) choice() []*seen {
	all := c.sorted()
	if n := slices.IndexFunc(all, func(s *seen) bool { return s.State == discovery.Lost }); n > 0 {
		return all[:n]
	}
	return all
}

// named is the channels that a name may mean.
func (c *catalog) named(name string) []*seen {
	all := c.sorted()
	var ss []*seen
	for _, i := range naming.Meant(asTold(name), calledOf(all)) {
		ss = append(ss, all[i])
	}
	return ss
}

// missed says why a name means no channel.
func (c *catalog) missed(name string) error {
	_, err := naming.One(asTold(name), calledOf(c.of))
	if none, ok := errors.AsType[*naming.NoneError](err); ok && none.Short {
		return none
	}
	return fmt.Errorf("no channel on this network has a title or an ID that begins with %q", name)
}

// asTold is a name as it would be told as a title.
func asTold(name string) string { return discovery.CutTitle(flv.CleanTitle(name)) }

// name is what a channel is called, with what tells it from others of that name.
func (s *seen) name() string { return s.called().String() }

func (s *seen) called() naming.Channel {
	return naming.Channel{ID: s.ID.String(), Names: []string{s.Title}}
}

func calledOf(ss []*seen) []naming.Channel {
	var all []naming.Channel
	for _, s := range ss {
		all = append(all, s.called())
	}
	return all
}

// seenText names channels in one line.
func seenText(ss []*seen) string { return naming.List(calledOf(ss)) }
