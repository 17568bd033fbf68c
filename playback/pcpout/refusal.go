package pcpout

import (
	"errors"

	"relay/relay/pcp"
	"relay/relay/refusal"
)

// Why peers were turned away or cut, besides those of package pcp.
const (
	RefusedCrowd   refusal.Reason = "crowd"          // it gave way to others before it had said who it is
	RefusedSilent  refusal.Reason = "silent"         // it said nothing, or no whole request, in time
	RefusedSlow    refusal.Reason = "slow"           // it asked, and did not say who it is in time
	RefusedPath    refusal.Reason = "path"           // it asks for what is not served to a PeerCast
	RefusedChannel refusal.Reason = "channel"        // the channel that it asks for is not here, or is private
	RefusedFull    refusal.Reason = "full"           // there is no room for another
	RefusedShare   refusal.Reason = "share"          // its address has its share of all places
	RefusedVersion refusal.Reason = "version"        // it is older than what is spoken
	RefusedLoop    refusal.Reason = "loop"           // it is this node itself
	RefusedDue     refusal.Reason = "not_due"        // it sends an atom that is not due
	RefusedOften   refusal.Reason = "too_often"      // it sends more than a peer has to say
	RefusedPort    refusal.Reason = "port_untested"  // its port was not tried: too many ask, or it has said less than that costs
	RefusedPlace   refusal.Reason = "port_barred"    // its port is none that is dialled: a service of the system's, or in a network that is not this machine's
	RefusedHosts   refusal.Reason = "too_many_hosts" // it tells of more peers than are counted, or of none that can be
	RefusedStuck   refusal.Reason = "stuck"          // it did not take what it was sent
)

// Refusals are all reasons, in the order in which to list them.
var Refusals = []refusal.Reason{
	RefusedCrowd, RefusedSilent, RefusedSlow, RefusedPath, RefusedChannel, RefusedFull, RefusedShare, RefusedVersion, RefusedLoop, RefusedDue, RefusedOften, RefusedPort, RefusedPlace, RefusedHosts, RefusedStuck,
	pcp.Unknown, pcp.Deep, pcp.Kids, pcp.Long, pcp.Size, pcp.Missing, pcp.NotHTTP, pcp.LongHead,
}

// turnedAway is why a peer's connection ends, and what it is told.
type turnedAway struct {
	why  refusal.Reason
	quit pcp.Quit
}

func (t *turnedAway) Error() string { return string(t.why) }

// asRefused returns why an error of reading ends a connection; nil if the peer has simply gone.
func asRefused(err error) *turnedAway {
	if t, ok := errors.AsType[*turnedAway](err); ok {
		return t
	}
	if e, ok := errors.AsType[*pcp.Error](err); ok {
		return &turnedAway{e.Why, pcp.QuitBadResponse}
	}
	return nil
}
