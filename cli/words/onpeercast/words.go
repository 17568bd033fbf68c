// Package onpeercast has what people are told of PeerCast: how a channel is opened, what becomes of it at a list, and
// why strangers were refused.
package onpeercast

import (
	"fmt"

	"relay/playback/pcpout"
	"relay/relay/pcp"
	"relay/relay/refusal"
)

// At says how PeerCast opens a channel: by its address at this node, and what its users put into their browser
// or player, which is their own PeerCast's.
func At(at, id string) string {
	return fmt.Sprintf("PeerCast  pcp://%s/%s (its users open http://localhost:7144/pls/%s?tip=%s)", at, id, id, at)
}

// What becomes of a channel at a list (YP), each a whole sentence. list is its host and port.

// Listed says that the list shows the channel.
func Listed(list string) string { return fmt.Sprintf("The list at %s shows the channel.", list) }

// ListShut says that it does, and that nobody gets through to this node at a port, as it has found.
func ListShut(list string, port uint16) string {
	return fmt.Sprintf("The list at %s shows the channel, and says that nobody gets through to port %d of this machine: forward TCP port %d in your router, and give the address with --advertise.", list, port, port)
}

// ListQuit says that the list does not take it.
func ListQuit(list string) string {
	return fmt.Sprintf("The list at %s has ended the connection. It is asked again; if it stays like that, ask who runs it whether your channel may be there.", list)
}

// ListBroken says that what answers there is no list.
func ListBroken(list string) string {
	return fmt.Sprintf("What answers at %s speaks another protocol: take the address of --yp from whoever runs the list.", list)
}

// ListAway says that it cannot be reached, and why.
func ListAway(list, why string) string {
	return fmt.Sprintf("The list at %s cannot be reached (%s). It is asked again.", list, why)
}

// Refusal is what was refused for a reason, as in "12 PeerCasts" in front of it, and what who runs the node can
// do, "" for nothing.
type Refusal struct{ What, Next string }

const strangers = "If the addresses are not yours to trust, have a firewall bound what they send; nobody else is cut for them."

// Refusals has the words for each reason.
var Refusals = map[refusal.Reason]Refusal{
	pcpout.RefusedCrowd:   {"PeerCast connections gave way to others, because there were too many that had not said who they are", strangers},
	pcpout.RefusedSilent:  {"PeerCast connections said nothing, or no whole request, for 3 s", strangers},
	pcpout.RefusedSlow:    {"PeerCasts asked for a channel, and had not said who they are after 18 s", strangers},
	pcpout.RefusedPath:    {"requests to PeerCast's port asked for what it does not have", "Players have another address, which relay prints."},
	pcpout.RefusedChannel: {"PeerCasts asked for a channel which this relay does not carry, or not for PeerCast", "The address is what relay prints with --peercast; private channels are not served."},
	pcpout.RefusedFull:    {"PeerCasts found no room, and were sent to others", "--max-children takes more, if the upload carries them."},
	pcpout.RefusedShare:   {"PeerCasts came from an address that has its share of all places", ""},
	pcpout.RefusedVersion: {"PeerCasts were older than version 0.1200", ""},
	pcpout.RefusedLoop:    {"PeerCast connections came from this relay itself", "Take the address of this relay out of what it pulls from."},
	pcpout.RefusedDue:     {"PeerCasts sent what was not due", ""},
	pcpout.RefusedOften:   {"PeerCasts said more than they have to say", strangers},
	pcpout.RefusedPort:    {"ports of PeerCasts were not tried, as too many asked for it", ""},
	pcpout.RefusedHosts:   {"other PeerCasts were told of that are not counted: too many, or of another channel", ""},
	pcpout.RefusedStuck:   {"PeerCasts did not take what they were sent", "Their network is too slow for this stream, or they have gone without a word."},
	pcp.Unknown:           {"PeerCasts sent what nobody knows", strangers},
	pcp.Deep:              {"PeerCasts sent too much inside each other", strangers},
	pcp.Kids:              {"PeerCasts sent too many parts of one thing", strangers},
	pcp.Long:              {"PeerCasts sent what is too long", strangers},
	pcp.Size:              {"PeerCasts sent numbers of a wrong size", strangers},
	pcp.Missing:           {"PeerCasts left out who they are", strangers},
	pcp.NotHTTP:           {"connections to PeerCast's port spoke something else", "Somebody who cannot be dialled asks to be dialled back, which is not done, or dials the wrong port."},
	pcp.LongHead:          {"requests to PeerCast's port had a head of more than 4 KiB", strangers},
}
