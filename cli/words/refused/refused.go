// Package refused says in words what a node has refused to strangers, and what who runs it can do.
package refused

import (
	"relay/ingest/browser"
	"relay/ingest/pcpin"
	"relay/ingest/rtmp"
	"relay/ingest/srt"
	"relay/ingest/whip"
	"relay/playback"
	"relay/playback/pcpout"
	"relay/playback/rtspout"
	"relay/relay/pcp"
	"relay/relay/refusal"
)

// Words says of a listener's refusals for one reason what they are, as in "12 connections" in front
// of it, and what who runs the node can do, "" for nothing. It reports false for a reason that it
// does not know.
func Words(listener, reason string) (what, next string, ok bool) {
	w, ok := refusals[listener][refusal.Reason(reason)]
	return w.what, w.next, ok
}

type refusalWords struct{ what, next string }

const strangers = "If the addresses are not yours to trust, have a firewall bound what they send; nobody else is cut for them."

// refusals is by where and why. What is refused to strangers who are no players and no encoders
// does no harm as it is.
var refusals = map[string]map[refusal.Reason]refusalWords{
	"http": {
		playback.RefusedFull:     {"players found no room", "A second relay watch on another machine takes as many again."},
		playback.RefusedShare:    {"players came from an address or a prefix that has its share of all places", "If a reverse proxy of yours asks for them, name it with --trusted-proxy."},
		playback.RefusedRewind:   {"viewers asked too often for what was", "If a reverse proxy of yours asks for them, name it with --trusted-proxy."},
		playback.RefusedNetwork:  {"requests came from a network that is not let in", "--http lets everyone in; --trusted-proxy names a reverse proxy that is believed."},
		playback.RefusedHost:     {"requests named a host that is not this machine's", "If it is a name of yours, allow it with --allow-host."},
		playback.RefusedSite:     {"requests were made by pages of other sites", "If a reverse proxy of yours changes the host name, name it with --trusted-proxy; --embed names sites that may show the picture."},
		playback.RefusedMethod:   {"requests wanted to change something, which none can here", ""},
		playback.RefusedRequests: {"connections gave way to others, because there were too many that asked for nothing", strangers},
		playback.RefusedSilent:   {"connections asked for nothing within 5 s", strangers},
		playback.RefusedSlow:     {"requests took longer than 5 s to arrive", strangers},
		playback.RefusedHeader:   {"requests had a header of more than 16 KiB", strangers},
		playback.RefusedGarbage:  {"connections sent what is no HTTP", "Links between nodes have another port than players: does somebody dial the wrong one?"},
		playback.RefusedStuck:    {"players did not take what they were sent", "Their network is too slow for this stream, or they have gone without a word."},
	},
	"rtmp": {
		rtmp.RefusedCrowd:    {"RTMP connections gave way to others, because there were too many that asked for nothing", strangers},
		rtmp.RefusedSilent:   {"RTMP connections said nothing for 5 s", strangers},
		rtmp.RefusedSlow:     {"RTMP connections had not asked for a stream after 5 s", strangers},
		rtmp.RefusedProtocol: {"connections to the RTMP port spoke something else", "Encoders need plain rtmp://, not rtmps:// or http://."},
		rtmp.RefusedGarbage:  {"RTMP connections sent malformed messages", strangers},
		rtmp.RefusedKey:      {"encoders had a wrong server path or stream key", "Set both in the encoder as relay source has printed them; if it is no encoder of yours, keep --rtmp to this machine."},
		rtmp.RefusedBusy:     {"encoders came while another one was sending", "Stop one of them; for a second channel, run a second relay source."},
		rtmp.RefusedStream:   {"RTMP players asked for what cannot be played", "The address ends in /live/CHANNEL."},
	},
	"tv": {
		playback.RefusedNetwork:  {"requests to the port for TVs came from a network that is not this machine's", ""},
		playback.RefusedHost:     {"requests to the port for TVs named a host, and not this machine's address", ""},
		playback.RefusedSite:     {"requests to the port for TVs were made by pages", ""},
		playback.RefusedMethod:   {"requests to the port for TVs wanted what there is not", ""},
		playback.RefusedRequests: {"connections to the port for TVs gave way to others", strangers},
		playback.RefusedSilent:   {"connections to the port for TVs asked for nothing within 5 s", strangers},
		playback.RefusedSlow:     {"requests to the port for TVs took longer than 5 s to arrive", strangers},
		playback.RefusedHeader:   {"requests to the port for TVs had a header of more than 16 KiB", strangers},
		playback.RefusedGarbage:  {"connections to the port for TVs sent what is no HTTP", strangers},
		playback.RefusedStuck:    {"connections to the port for TVs did not take what they were sent", strangers},
		"body":                   {"requests to the port for TVs were too long, or none of a TV's", strangers},
		"malformed":              {"searches for servers (SSDP) made no sense", ""},
		"elsewhere":              {"searches for servers (SSDP) came from no network of this machine's", ""},
		"too_often":              {"searches for servers (SSDP) came more often than they are answered", strangers},
		"flood":                  {"searches for servers (SSDP) were not looked at, as there were too many", strangers},
	},
	"rtsp": {
		rtspout.RefusedCrowd:    {"RTSP connections gave way to others, because there were too many that did not play", strangers},
		rtspout.RefusedSilent:   {"RTSP connections said nothing for 5 s", strangers},
		rtspout.RefusedSlow:     {"RTSP connections did not play within 5 s", strangers},
		rtspout.RefusedProtocol: {"connections to the RTSP port spoke something else", "Players need plain rtsp://, not rtsps:// or http://."},
		rtspout.RefusedGarbage:  {"RTSP connections sent malformed requests, or too many", strangers},
		rtspout.RefusedPublish:  {"encoders wanted to send over RTSP, which takes no streams", "An encoder sends over RTMP, to what relay source prints; relay source rtsp://… fetches from a camera."},
		rtspout.RefusedStream:   {"RTSP players asked for what cannot be played", "The address ends in /CHANNEL."},
	},
	"srt": {
		srt.RefusedCrowd:   {"callers over SRT found no room, or asked too often", strangers},
		srt.RefusedGarbage: {"packets at the port for SRT were malformed, or something else", strangers},
		srt.RefusedCookie:  {"packets at the port for SRT came from addresses that may be forged", strangers},
		srt.RefusedStray:   {"packets at the port for SRT belonged to no connection", "Some of these come when a connection ends."},
		srt.RefusedVersion: {"callers over SRT speak another version of it, or send files", "libsrt 1.3 and later are taken, in live mode."},
		srt.RefusedKey:     {"encoders over SRT had a wrong passphrase", "Paste the address that relay source has printed; if it is no encoder of yours, keep --srt to this machine."},
		srt.RefusedPlain:   {"encoders over SRT gave no passphrase, or players gave one", "An encoder needs the address that relay source has printed, a player that with streamid=read:CHANNEL alone."},
		srt.RefusedBusy:    {"encoders over SRT came while another one was sending", "Stop one of them; for a second channel, run a second relay source."},
		srt.RefusedStream:  {"players over SRT asked for what cannot be played", "The address ends in ?streamid=read:CHANNEL."},
		srt.RefusedLatency: {"callers over SRT wanted a latency of more than 8 s", "Four times the round trip is enough: 120 ms at home, 1 s across oceans."},
		srt.RefusedSlow:    {"players over SRT did not take what they were sent", "Their network is too slow for this stream, or they have gone without a word."},
		srt.RefusedNoise:   {"players over SRT sent what no player sends", strangers},
	},
	"whip": {
		whip.RefusedKey:          {"encoders over WHIP had a wrong bearer token", "It is the stream key that relay source has printed; if it is no encoder of yours, keep --whip to this machine."},
		whip.RefusedBusy:         {"encoders came over WHIP while another one was sending", "Stop one of them; for a second channel, run a second relay source."},
		whip.RefusedCrowd:        {"encoders came over WHIP while too many were connecting", ""},
		whip.RefusedOffer:        {"offers over WHIP were malformed, or had more than pictures and sound", ""},
		whip.RefusedCodec:        {"encoders over WHIP had no codec that can be sent", "Set them to H.264, HEVC, AV1 or VP9, and to Opus."},
		whip.RefusedRequest:      {"requests to the port for WHIP were none of an encoder", strangers},
		whip.RefusedUnreached:    {"encoders over WHIP never connected", "Let the port of --whip through the firewall, TCP and UDP; where a router forwards it, name its address with --advertise."},
		whip.RefusedPacket:       {"packets to the port for WHIP belong to no encoder", strangers},
		playback.RefusedRequests: {"connections to the port for WHIP gave way to others, because there were too many that asked for nothing", strangers},
		playback.RefusedSilent:   {"connections to the port for WHIP asked for nothing within 5 s", strangers},
		playback.RefusedSlow:     {"requests to the port for WHIP took longer than 5 s to arrive", strangers},
		playback.RefusedHeader:   {"requests to the port for WHIP had a header of more than 16 KiB", strangers},
		playback.RefusedGarbage:  {"connections to the port for WHIP sent what is no HTTP", "Encoders that speak RTMP have another port than those that speak WHIP."},
	},
	"browser": {
		browser.RefusedRequest:   {"programs, or pages of other sites, asked to broadcast like the page of this relay", strangers},
		browser.RefusedToken:     {"pages wanted to broadcast with the token of another run", "Load the page again."},
		browser.RefusedBusy:      {"pages wanted to broadcast while an encoder was sending", "Stop one of them; for a second channel, run a second relay source."},
		browser.RefusedMalformed: {"pages that broadcast sent what made no sense", "Load the page again: it may be of another version."},
		browser.RefusedCodec:     {"pages wanted to broadcast what cannot be carried", "Take another browser: Chrome, Edge, Firefox or Safari in a new version."},
	},
	"peercast": {
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
		pcpout.RefusedPlace:   {"ports of PeerCasts were not tried: below 1024, or in a network that is not this machine's own", ""},
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
	},
	"peercast_pull": {
		pcpin.PlaceNowhere: {"PeerCasts were named at addresses where none can be", ""},
		pcpin.PlaceInside:  {"PeerCasts were named in a network of their own, which is not that of the channel's", ""},
		pcpin.PlacePort:    {"PeerCasts were named at ports of other services", ""},
		pcpin.PlaceMany:    {"more PeerCasts were named than are remembered", ""},
		pcpin.PlaceUnpaid:  {"PeerCasts were named by who sent less than it costs to ask them", ""},
		pcpin.PlaceVain:    {"PeerCasts were named after too many that gave nothing", ""},
		pcpin.PlaceSelf:    {"PeerCasts were named that are this relay, or who named them", ""},
		pcpin.PlaceShut:    {"PeerCasts were named that say they cannot be asked, or do not have the channel", ""},
		pcp.Unknown:        {"PeerCasts that were asked sent what nobody knows", ""},
		pcp.Deep:           {"PeerCasts that were asked sent too much inside each other", ""},
		pcp.Kids:           {"PeerCasts that were asked sent too many parts of one thing", ""},
		pcp.Long:           {"PeerCasts that were asked sent what is too long", ""},
		pcp.Size:           {"PeerCasts that were asked sent numbers of a wrong size", ""},
		pcp.Missing:        {"PeerCasts that were asked left out who they are", ""},
		pcp.NotHTTP:        {"who was asked as a PeerCast speaks something else", "Is the port that of a PeerCast?"},
		pcp.LongHead:       {"who was asked as a PeerCast sent a head of more than 4 KiB", ""},
	},
	"link": {
		"too_often": {"the port for other nodes refused connections of one address that makes too many", ""},
		"gave_way":  {"the port for other nodes refused connections that others had to make room for, before they had said who they are", ""},
		"silent":    {"the port for other nodes refused connections that say nothing, or nothing more", ""},
		"handshake": {"the port for other nodes refused connections that speak another protocol, or stop in the middle of a handshake", ""},
		"hello":     {"the port for other nodes refused connections that ask for nothing that a relay has", ""},
		"channel":   {"the port for other nodes refused nodes that ask for a channel which this relay does not carry", ""},
		"version":   {"the port for other nodes refused nodes of a version that this one does not understand", ""},
		"busy":      {"the port for other nodes refused connections whose turn did not come", ""},
		"protocol":  {"the port for other nodes refused nodes that break the protocol once they are let in", ""},
		"forged":    {"the port for other nodes refused nodes that tell of another source of a channel, and cannot prove it", ""},
		"stuck":     {"the port for other nodes refused nodes that do not take what they are sent", "Their network is too slow for this stream, or they have gone without a word."},
		"offer":     {"the port for other nodes refused nodes that offer themselves as a parent, and are not wanted or have no token for it", ""},
	},
	"dial": {
		"address": {"addresses that others named were not dialled, since they mean nothing in this network", ""},
		"budget":  {"addresses that others named were not dialled, since nobody answers at too many of theirs", ""},
	},
	"gossip": {
		"malformed":     {"gossip refused packets and streams that no relay sends", ""},
		"too_often":     {"gossip refused packets of one address that sends too many", ""},
		"channel":       {"gossip refused packets for a channel that this relay does not carry", ""},
		"strangers":     {"gossip refused packets of too many machines that are no members", ""},
		"streams":       {"gossip refused streams, more than are answered at a time", ""},
		"metadata":      {"gossip refused claims about nodes that those have not signed, or that are old", ""},
		"unreached":     {"gossip refused nodes that do not answer at the address which they name", ""},
		"address":       {"gossip refused nodes at addresses that mean nothing in this network", ""},
		"share":         {"gossip refused nodes of one address or one prefix, of which there are many", ""},
		"trying":        {"gossip refused nodes, more than are tried at a time", ""},
		"full":          {"gossip refused nodes, as there are as many members as may be", ""},
		"amplified":     {"gossip refused packets that would have gone to somebody who has not asked", ""},
		"sealed":        {"gossip refused packets for a private channel from who does not have its secret", ""},
		"unknown":       {"gossip refused what strangers tell of nodes that are not known here, and answers to what was not asked", ""},
		"silent":        {"gossip refused streams over which nothing comes", ""},
		"other_version": {"gossip refused nodes of another version of gossip", ""},
	},
	"dht": {
		"not_asked": {"the look-up by ID refused packets that are no answer to what was asked, or come too late", ""},
		"malformed": {"the look-up by ID refused packets that no node of the DHT sends", ""},
		"too_long":  {"the look-up by ID refused packets of more than 1,500 bytes", ""},
		"value":     {"the look-up by ID refused what is longer than may be, or no item of a channel", ""},
		"forged":    {"the look-up by ID refused items that the channel's key has not signed", ""},
		"older":     {"the look-up by ID refused items that were replaced before", ""},
		"no_node":   {"the look-up by ID refused addresses at which no node of the Internet can be", ""},
	},
	"discovery": {
		"malformed": {"discovery refused queries that no relay sends", ""},
		"elsewhere": {"discovery refused queries from outside this machine's networks", ""},
		"too_often": {"discovery refused queries of one address that asks too often", ""},
		"flood":     {"discovery refused packets of a flood of queries", ""},
	},
}
