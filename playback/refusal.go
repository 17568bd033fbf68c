package playback

import (
	"sync/atomic"

	"relay/playback/api"
)

// Refusal is why somebody who asked was turned away. The values are the label of the
// metric and the reason of the event.
type Refusal string

// Refusals.
const (
	RefusedFull     Refusal = "full"     // as many viewers as there may be
	RefusedNetwork  Refusal = "network"  // asked from a network that is not let in
	RefusedHost     Refusal = "host"     // asked under a host name that is not this machine's
	RefusedRequests Refusal = "requests" // too many connections that are not viewers
)

// Refusals is all there are, in the order in which to show them.
var Refusals = []Refusal{RefusedFull, RefusedNetwork, RefusedHost, RefusedRequests}

// refusals counts who was turned away. Its zero value is ready.
type refusals struct{ full, network, host, requests atomic.Uint64 }

func (c *refusals) of(r Refusal) *atomic.Uint64 {
	switch r {
	case RefusedFull:
		return &c.full
	case RefusedNetwork:
		return &c.network
	case RefusedHost:
		return &c.host
	}
	return &c.requests
}

// Refused returns how often that was why somebody was turned away.
func (s *Server) Refused(r Refusal) uint64 { return s.refused.of(r).Load() }

// full notes that a viewer was turned away for whom there is no room.
func (s *Server) full(c *Channel, addr string) {
	s.refused.full.Add(1)
	s.config.Events.Tell(api.Event{
		Type: api.EventLimit, Channel: c.id.String(), Name: c.id.Short(), Who: "viewer", Reason: string(RefusedFull), Addr: addr,
	})
}
