package playback

import (
	"sync/atomic"

	"relay/playback/api"
)

// Refusal is why a request was turned away. Its values are the metric's label and the
// event's reason.
type Refusal string

// Refusals.
const (
	RefusedFull     Refusal = "full"     // as many viewers as there may be
	RefusedNetwork  Refusal = "network"  // asked from a network that is not let in
	RefusedHost     Refusal = "host"     // asked under a host name that is not this machine's
	RefusedRequests Refusal = "requests" // too many connections that are not viewers
)

// Refusals lists all of them, in the order in which to show them.
var Refusals = []Refusal{RefusedFull, RefusedNetwork, RefusedHost, RefusedRequests}

// refusals counts requests that were turned away. Its zero value is ready.
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

// Refused returns how many requests were turned away for that reason.
func (s *Server) Refused(r Refusal) uint64 { return s.refused.of(r).Load() }

// full notes that a viewer was turned away because there is no room.
func (s *Server) full(c *Channel, addr string) {
	s.refused.full.Add(1)
	s.config.Events.Tell(api.Event{
		Type: api.EventLimit, Channel: c.id.String(), Name: c.id.Short(), Who: "viewer", Reason: string(RefusedFull), Addr: addr,
	})
}
