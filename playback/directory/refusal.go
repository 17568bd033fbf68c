package directory

import "relay/relay/refusal"

// Why an announcement is not taken. What a mirror gives is counted by the same reasons.
const (
	RefusedMethod   refusal.Reason = "method"   // neither GET, HEAD nor a POST of an announcement
	RefusedLarge    refusal.Reason = "large"    // a longer body than an announcement may have
	RefusedGarbled  refusal.Reason = "garbled"  // it is no announcement
	RefusedDenied   refusal.Reason = "denied"   // whoever runs the directory does not list the channel
	RefusedClock    refusal.Reason = "clock"    // it was made at another time than now, by this clock
	RefusedForged   refusal.Reason = "forged"   // the channel's key has not signed it
	RefusedReplayed refusal.Reason = "replayed" // it is not newer than what is known
	RefusedOften    refusal.Reason = "often"    // less than a minute after the one before
	RefusedAddress  refusal.Reason = "address"  // too many channels from that address, or its neighbourhood
	RefusedProxy    refusal.Reason = "proxy"    // a proxy that is not trusted asks, for nobody knows whom
	RefusedPlaces   refusal.Reason = "places"   // no place that may be dialled
	RefusedBudget   refusal.Reason = "budget"   // nobody has answered at those places of late, too often
	RefusedShort    refusal.Reason = "short"    // the request has fewer bytes than dialling back costs
	RefusedBusy     refusal.Reason = "busy"     // as many are dialled back as may be at a time
	RefusedDead     refusal.Reason = "dead"     // no relay answers at any of its places
	RefusedOther    refusal.Reason = "other"    // a relay answers there, and does not carry the channel
	RefusedFull     refusal.Reason = "full"     // the list has no room, or none for more from that neighbourhood
	RefusedReading  refusal.Reason = "reading"  // too many requests from an address
)

// Refusals lists all of them.
var Refusals = []refusal.Reason{
	RefusedMethod, RefusedLarge, RefusedGarbled, RefusedDenied, RefusedClock, RefusedForged, RefusedReplayed, RefusedOften, RefusedAddress,
	RefusedProxy, RefusedPlaces, RefusedBudget, RefusedShort, RefusedBusy, RefusedDead, RefusedOther, RefusedFull, RefusedReading,
}
