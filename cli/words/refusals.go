package words

import (
	"relay/ingest/rtmp"
	"relay/playback"
)

// Refused says of a listener's refusals for one reason what they are, as in "12 connections" in front
// of it, and what who runs the node can do, "" for nothing. It reports false for a reason that it
// does not know.
func Refused(listener, reason string) (what, next string, ok bool) {
	var w refusalWords
	switch listener {
	case "http":
		w, ok = refusedPlayers[playback.Refusal(reason)]
	case "rtmp":
		w, ok = refusedOverRTMP[rtmp.Refusal(reason)]
	}
	return w.what, w.next, ok
}

type refusalWords struct{ what, next string }

const strangers = "If the addresses are not yours to trust, have a firewall bound what they send; nobody else is cut for them."

var refusedPlayers = map[playback.Refusal]refusalWords{
	playback.RefusedFull:     {"players found no room", "A second relay watch on another machine takes as many again."},
	playback.RefusedShare:    {"players came from an address or a prefix that has its share of all places", "If a reverse proxy of yours asks for them, name it with --trusted-proxy."},
	playback.RefusedNetwork:  {"requests came from a network that is not let in", "--http lets everyone in; --trusted-proxy names a reverse proxy that is believed."},
	playback.RefusedHost:     {"requests named a host that is not this machine's", "If it is a name of yours, allow it with --allow-host."},
	playback.RefusedSite:     {"requests were made by pages of other sites", "If a reverse proxy of yours changes the host name, name it with --trusted-proxy."},
	playback.RefusedMethod:   {"requests wanted to change something, which none can here", ""},
	playback.RefusedRequests: {"connections gave way to others, because there were too many that asked for nothing", strangers},
	playback.RefusedSilent:   {"connections asked for nothing within 5 s", strangers},
	playback.RefusedSlow:     {"requests took longer than 5 s to arrive", strangers},
	playback.RefusedHeader:   {"requests had a header of more than 16 KiB", strangers},
	playback.RefusedGarbage:  {"connections sent what is no HTTP", "Links between nodes have another port than players: does somebody dial the wrong one?"},
	playback.RefusedStuck:    {"players did not take what they were sent", "Their network is too slow for this stream, or they have gone without a word."},
}

var refusedOverRTMP = map[rtmp.Refusal]refusalWords{
	rtmp.RefusedCrowd:    {"RTMP connections gave way to others, because there were too many that asked for nothing", strangers},
	rtmp.RefusedSilent:   {"RTMP connections said nothing for 5 s", strangers},
	rtmp.RefusedSlow:     {"RTMP connections had not asked for a stream after 5 s", strangers},
	rtmp.RefusedProtocol: {"connections to the RTMP port spoke something else", "Encoders need plain rtmp://, not rtmps:// or http://."},
	rtmp.RefusedGarbage:  {"RTMP connections sent malformed messages", strangers},
	rtmp.RefusedKey:      {"encoders had a wrong server path or stream key", "Set both in the encoder as relay source has printed them; if it is no encoder of yours, keep --rtmp to this machine."},
	rtmp.RefusedBusy:     {"encoders came while another one was sending", "Stop one of them; for a second channel, run a second relay source."},
	rtmp.RefusedStream:   {"RTMP players asked for what cannot be played", "The address ends in /live/CHANNEL."},
}
