package follow

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"relay/cli/lan"
	"relay/cli/term"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/discovery"
	"relay/relay/seal"
	"relay/relay/store"
	"relay/relay/stream"
)

const (
	// namedMost bounds the channels whose nodes are asked what they are called, and nameTime the wait for all of
	// them: neighbours answer in milliseconds.
	namedMost = 32
	nameTime  = time.Second
)

// Read returns the list in the folder that [store.Open] opens as dir; an empty one if there is none.
func Read(dir string) (*List, error) {
	b, err := store.Follow(dir, MaxList).Read()
	if err != nil {
		return &List{}, err
	}
	return Parse(b), nil
}

// SecretsIn returns what is kept in a folder of a private channel's secret, for [AtHosts].
func SecretsIn(dir string) func(stream.ChannelID) seal.Access {
	return func(id stream.ChannelID) seal.Access {
		a, err := store.SecretOf(dir, id)
		if err != nil || !a.CanJoin() {
			return seal.Access{}
		}
		return a
	}
}

// Listing is what there is: on this network, and of the channels that are followed.
type Listing struct {
	Network  *lan.Catalog
	Asked    []discovery.Asked // where on this network
	Followed []Followed        // in the order of the list
}

// Survey looks on this network for a second, and for the channels of the list at their addresses for as long as
// wait. node asks.
func Survey(ctx context.Context, d lan.Config, log *zap.Logger, node *relay.Node, list []Channel, wait time.Duration, elsewhere ...Finder) (l Listing, err error) {
	waiting, enough := context.WithTimeout(ctx, wait)
	defer enough()
	var found map[stream.ChannelID]Sighting
	var asking sync.WaitGroup
	asking.Go(func() { found = Look(waiting, list, elsewhere...) })
	l.Network, l.Asked, err = d.Look(ctx, log, networkTime, func(*lan.Catalog) bool { return false })
	if err == nil {
		nameNodes(ctx, node, l.Network.Channels)
		if !slices.ContainsFunc(list, func(c Channel) bool { return onNetwork(l.Network, c.ID) == nil }) {
			enough() // all are here
		}
	}
	asking.Wait()
	for _, c := range list {
		s := found[c.ID]
		if n := onNetwork(l.Network, c.ID); n != nil {
			n.Followed = c.Name
			here := OfNetwork(n)
			here.Node = n.Node
			s = merge(s, here)
		}
		l.Followed = append(l.Followed, Followed{c, s})
	}
	return l, err
}

func onNetwork(cat *lan.Catalog, id stream.ChannelID) *lan.Channel {
	if cat == nil {
		return nil
	}
	if i := slices.IndexFunc(cat.Channels, func(c *lan.Channel) bool { return c.ID == id }); i >= 0 {
		return cat.Channels[i]
	}
	return nil
}

// nameNodes asks the node at the first address of each channel what it calls itself.
func nameNodes(ctx context.Context, node *relay.Node, all []*lan.Channel) {
	ctx, cancel := context.WithTimeout(ctx, nameTime)
	defer cancel()
	var asking sync.WaitGroup
	for _, c := range all[:min(len(all), namedMost)] {
		asking.Go(func() { // ends with ctx
			if l, err := node.Look(ctx, relay.Invite{Channel: c.ID}, c.Addrs[0]); err == nil {
				c.Node = l.Name
			}
		})
	}
	asking.Wait()
}

// columns are those of the table; heads and states are words of it, in which the person's language has as many.
var columns = []term.Column{{}, {Least: 7}, {Least: 8}, {}}

const (
	heads  = "FOLLOWED|STATE|CHANNEL|TITLE"
	states = "off|on|waiting|live" // in the order of State
)

// Table returns a line of heads and one for each of the followed channels. in puts words into the person's language.
func Table(all []Followed, in func(string) string) []string {
	said := strings.Split(in(states), "|")
	rows := [][]string{strings.Split(in(heads), "|")}
	for _, f := range all {
		rows = append(rows, []string{f.Name, said[f.State], f.Channel.ID.Short(), f.Title})
	}
	lines := term.Table(columns, rows)
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return lines
}

// WriteJSON writes a line for each followed channel that is not on this network.
func (l Listing) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	for _, f := range l.Followed {
		if onNetwork(l.Network, f.Channel.ID) != nil {
			continue
		}
		o := api.Listed{
			ID: f.Channel.ID.String(), Name: f.Channel.ID.Short(), Title: f.Title, State: f.State.String(), Addrs: []string{},
			NodeName: f.Node, Followed: f.Name,
		}
		for _, a := range f.Addrs {
			o.Addrs = append(o.Addrs, a.String())
		}
		if hosts, _ := lan.Seeds(f.Addrs); len(hosts)+len(f.Hosts) > 0 {
			o.Link = f.Invite().With(hosts...).String()
		}
		if err := enc.Encode(o); err != nil {
			return err
		}
	}
	return nil
}
