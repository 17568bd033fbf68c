package cli

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"relay/relay/discovery"
)

const (
	// maxSeen bounds the channels that are listed, and maxSeenAddrs the addresses of
	// one: somebody may make them up.
	maxSeen      = 256
	maxSeenAddrs = 16
	// shortestPrefix is how many characters of a channel's ID name it at least, as on
	// the pages that the relay serves.
	shortestPrefix = 4
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

func (c *catalog) add(f discovery.Found) {
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

// named is the channels that a name may mean: those with that very title or ID, or else
// those whose title or ID begins like that. Upper and lower case are the same.
func (c *catalog) named(name string) []*seen {
	name = strings.TrimSpace(name)
	cut := strings.ToLower(discovery.CutTitle(name)) // as a longer title is told
	name = strings.ToLower(name)
	var same, begin []*seen
	for _, s := range c.sorted() {
		title, id := strings.ToLower(strings.TrimSpace(s.Title)), s.ID.String()
		switch {
		case name == "":
		case title == name || title == cut || id == name:
			same = append(same, s)
		case strings.HasPrefix(title, name), len(name) >= shortestPrefix && strings.HasPrefix(id, name):
			begin = append(begin, s)
		}
	}
	if len(same) > 0 {
		return same
	}
	return begin
}
