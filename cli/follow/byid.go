package follow

import (
	"context"

	"relay/cli/finding"
	"relay/relay"
	"relay/relay/dht"
	"relay/relay/seal"
	"relay/relay/stream"
)

// ByID looks the channels up by their IDs, and asks at the addresses that are found whether they are there: what a
// source has said an hour ago may be over. secret is as in [AtHosts]. A nil f finds nothing.
func ByID(f *finding.Finder, n *relay.Node, secret func(stream.ChannelID) seal.Access) Finder {
	var known finding.Memory
	return func(ctx context.Context, of []Channel, found func(Sighting)) {
		if f == nil {
			return
		}
		askEach(ctx, of, found, func(c Channel) (Sighting, bool) {
			inv := invite(relay.Invite{Channel: c.ID}, secret)
			item, ok := f.Recall(ctx, &known, inv)
			if !ok {
				return Sighting{}, false
			}
			l, _ := n.LookFor(ctx, inv.With(hosts(item)...)) // a zero one has no way
			return sighted(c.ID, item, l), true
		})
	}
}

func hosts(item dht.Found) (all []relay.HostPort) {
	for _, a := range item.Hosts() {
		all = append(all, relay.HostPort{Host: a.Addr().String(), Port: a.Port()})
	}
	return all
}

// sighted is what an item and the nodes that it names say together: that a channel is live counts if a node of it
// has a way to its source.
func sighted(id stream.ChannelID, item dht.Found, at relay.Look) Sighting {
	s := Sighting{ID: id, Title: item.Title, Node: at.Name}
	if at.Way {
		s.State, s.Addrs = On, append(s.Addrs, at.At)
		if item.Live {
			s.State = Live
		}
	}
	return s
}
