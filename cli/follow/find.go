package follow

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"relay/cli/lan"
	"relay/relay"
	"relay/relay/discovery"
	"relay/relay/seal"
	"relay/relay/stream"
)

// State is how a channel is doing, as far as it has been found out. A later one counts more where several are told.
type State int

// States of a channel.
const (
	Off     State = iota // nobody who was asked has it, or has a way to its source
	On                   // a node has a way to its source; whether that sends was not told
	Waiting              // its source sends nothing
	Live
)

var stateNames = [...]string{"off", "on", "waiting", "live"}

func (s State) String() string { return stateNames[s] }

// Airs reports whether it is worth going there.
func (s State) Airs() bool { return s == On || s == Live }

// Sighting is what was found out about a channel.
type Sighting struct {
	ID    stream.ChannelID
	State State
	Title string           // a stranger's word, cleaned; may be empty
	Node  string           // what the node that answered calls itself; may be empty
	Addrs []netip.AddrPort // at which it was found
}

// Finder looks for channels at some kind of place, and tells what it finds, in any order and from one goroutine at a
// time. It says nothing of those that it does not find. It returns when it knows no more, or when ctx ends.
type Finder func(ctx context.Context, of []Channel, found func(Sighting))

// Look asks all finders at once, and returns what is known of each channel when they have returned.
func Look(ctx context.Context, of []Channel, finders ...Finder) map[stream.ChannelID]Sighting {
	all := make(map[stream.ChannelID]Sighting, len(of))
	for _, c := range of {
		all[c.ID] = Sighting{ID: c.ID}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, f := range finders {
		wg.Go(func() {
			f(ctx, of, func(s Sighting) {
				mu.Lock()
				defer mu.Unlock()
				if was, followed := all[s.ID]; followed {
					all[s.ID] = merge(was, s)
				}
			})
		})
	}
	wg.Wait()
	return all
}

// merge joins what two have found out about a channel.
func merge(a, b Sighting) Sighting {
	if b.State > a.State {
		a, b = b, a
	}
	if a.Title == "" {
		a.Title = b.Title
	}
	if a.Node == "" {
		a.Node = b.Node
	}
	a.Addrs = append(a.Addrs[:len(a.Addrs):len(a.Addrs)], b.Addrs...)
	return a
}

// networkTime is how long this machine's networks are looked at: a dozen questions.
const networkTime = time.Second

// OnNetwork looks on this machine's networks for a second, or until all are found.
func OnNetwork(d lan.Config, log *zap.Logger) Finder {
	return func(ctx context.Context, of []Channel, found func(Sighting)) {
		if d.Off || len(of) == 0 {
			return
		}
		cat, _, err := d.Look(ctx, log, networkTime, func(cat *lan.Catalog) bool {
			n := 0
			for _, c := range cat.Channels {
				if slices.ContainsFunc(of, func(w Channel) bool { return w.ID == c.ID }) && c.State == discovery.Live {
					n++
				}
			}
			return n == len(of)
		})
		if err != nil {
			return // it is said where a person looks
		}
		for _, c := range cat.Channels {
			found(OfNetwork(c))
		}
	}
}

// OfNetwork is what a channel's nodes on this network tell of it.
func OfNetwork(c *lan.Channel) Sighting {
	s := Sighting{ID: c.ID, Title: c.Title, Addrs: c.Addrs}
	switch c.State {
	case discovery.Live:
		s.State = Live
	case discovery.Waiting:
		s.State = Waiting
	}
	return s
}

// askedAtOnce bounds the channels that are asked about at a time.
const askedAtOnce = 4

// AtHosts asks at the addresses of the list, those that domains tell, and where nodes of the channels were last.
// secret is what is known of a private channel's; nil for nothing.
func AtHosts(n *relay.Node, secret func(stream.ChannelID) seal.Access) Finder {
	return func(ctx context.Context, of []Channel, found func(Sighting)) {
		askEach(ctx, of, found, func(c Channel) (Sighting, bool) {
			l, err := n.LookFor(ctx, invite(c.Invite(), secret))
			return Sighting{ID: c.ID, State: On, Node: l.Name, Addrs: []netip.AddrPort{l.At}}, err == nil && l.Way
		})
	}
}

// invite adds to a link what is known of a private channel's secret.
func invite(inv relay.Invite, secret func(stream.ChannelID) seal.Access) relay.Invite {
	if secret != nil {
		inv.Access = secret(inv.Channel)
	}
	return inv
}

// askEach asks about each channel, some at a time, and hands over what comes of it, one after the other.
func askEach(ctx context.Context, of []Channel, found func(Sighting), ask func(Channel) (Sighting, bool)) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, askedAtOnce)
	for _, c := range of {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		wg.Go(func() { // ends with ctx
			defer func() { <-slots }()
			if s, ok := ask(c); ok {
				mu.Lock()
				defer mu.Unlock()
				found(s)
			}
		})
	}
}
