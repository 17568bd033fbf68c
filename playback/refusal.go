package playback

import (
	"net/netip"
	"slices"
	"sync/atomic"

	"relay/playback/api"
)

// Refusal is why a request was turned away, or a connection cut. Its values are the metric's label
// and the event's reason.
type Refusal string

// Refusals.
const (
	RefusedFull     Refusal = "full"     // as many viewers as there may be
	RefusedShare    Refusal = "share"    // as many from that address, or its prefix, as there may be
	RefusedNetwork  Refusal = "network"  // asked from a network that is not let in
	RefusedHost     Refusal = "host"     // asked under a host name that is not this machine's
	RefusedSite     Refusal = "site"     // a page of another site had a browser ask
	RefusedMethod   Refusal = "method"   // neither GET nor HEAD
	RefusedRequests Refusal = "requests" // too many connections that are not viewers, so it gave way
	RefusedSilent   Refusal = "silent"   // it asked for nothing
	RefusedSlow     Refusal = "slow"     // its request took too long
	RefusedHeader   Refusal = "header"   // its request's header is too long
	RefusedGarbage  Refusal = "garbage"  // what it sent is no HTTP
	RefusedStuck    Refusal = "stuck"    // it did not take what it was sent
)

// Refusals lists all of them, in the order in which to show them.
var Refusals = []Refusal{
	RefusedFull, RefusedShare, RefusedNetwork, RefusedHost, RefusedSite, RefusedMethod,
	RefusedRequests, RefusedSilent, RefusedSlow, RefusedHeader, RefusedGarbage, RefusedStuck,
}

// refusals counts requests that were turned away. Its zero value is ready, and a nil one counts
// nothing.
type refusals struct{ n [12]atomic.Uint64 } // as Refusals

func (c *refusals) add(r Refusal) {
	if c != nil {
		c.n[slices.Index(Refusals, r)].Add(1)
	}
}

func (c *refusals) of(r Refusal) uint64 { return c.n[slices.Index(Refusals, r)].Load() }

// Refused returns how many requests were turned away for that reason.
func (s *Server) Refused(r Refusal) uint64 { return s.refused.of(r) }

// full notes that a viewer was turned away because there is no room.
func (s *Server) full(c *Channel, addr string, why Refusal) {
	s.refused.add(why)
	s.config.Events.Tell(api.Event{
		Type: api.EventLimit, Channel: c.id.String(), Name: c.id.Short(), Who: "viewer", Reason: string(why), Addr: addr,
	})
}

// own reports whether an address is of this machine's own networks, or a proxy's that is trusted:
// they get what others have to share.
func (s *Server) own(a netip.Addr) bool {
	return a.IsLoopback() || s.config.Proxies.trusts(a) || s.config.Own != nil && s.config.Own(a)
}
