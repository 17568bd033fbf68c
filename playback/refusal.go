package playback

import (
	"net/netip"

	"relay/playback/api"
	"relay/relay/refusal"
)

// Why a request is turned away, or a connection cut: also the reason in an event.
const (
	RefusedFull     refusal.Reason = "full"     // as many viewers as there may be
	RefusedShare    refusal.Reason = "share"    // as many from that address, or its prefix, as there may be
	RefusedRewind   refusal.Reason = "rewind"   // asked for what was too often, from that address or from all
	RefusedNetwork  refusal.Reason = "network"  // asked from a network that is not let in
	RefusedHost     refusal.Reason = "host"     // asked under a host name that is not this machine's
	RefusedSite     refusal.Reason = "site"     // a page of another site had a browser ask
	RefusedMethod   refusal.Reason = "method"   // neither GET nor HEAD
	RefusedRequests refusal.Reason = "requests" // too many connections that are not viewers, so it gave way
	RefusedSilent   refusal.Reason = "silent"   // it asked for nothing
	RefusedSlow     refusal.Reason = "slow"     // its request took too long
	RefusedHeader   refusal.Reason = "header"   // its request's header is too long
	RefusedGarbage  refusal.Reason = "garbage"  // what it sent is no HTTP
	RefusedStuck    refusal.Reason = "stuck"    // it did not take what it was sent
)

// Refusals lists all of them.
var Refusals = []refusal.Reason{
	RefusedFull, RefusedShare, RefusedRewind, RefusedNetwork, RefusedHost, RefusedSite, RefusedMethod,
	RefusedRequests, RefusedSilent, RefusedSlow, RefusedHeader, RefusedGarbage, RefusedStuck,
}

// full notes that a viewer was turned away because there is no room.
func (s *Server) full(c *Channel, addr string, why refusal.Reason) {
	s.refused.Add(why)
	s.config.Events.Tell(api.Event{
		Type: api.EventLimit, Channel: c.id.String(), Name: c.id.Short(), Who: "viewer", Reason: string(why), Addr: addr,
	})
}

// own reports whether an address is of this machine's own networks, or a proxy's that is trusted:
// they get what others have to share.
func (s *Server) own(a netip.Addr) bool {
	return a.IsLoopback() || s.config.Proxies.trusts(a) || s.config.Own != nil && s.config.Own(a)
}
