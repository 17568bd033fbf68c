package doctor

import (
	"maps"
	"slices"

	"relay/playback/api"
)

// refusals says in words what a relay here has refused to strangers, by where and why; see
// api.Node.Refused.
var refusals = map[string]map[string]string{
	"link": {
		"too_often": "connections of one address that makes too many",
		"gave_way":  "connections that others had to make room for, before they had said who they are",
		"silent":    "connections that say nothing",
		"handshake": "connections that speak another protocol, or stop in the middle of a handshake",
		"hello":     "connections that ask for nothing that a relay has",
		"channel":   "nodes that ask for a channel which this relay does not carry",
		"version":   "nodes of a version that this one does not understand",
		"busy":      "connections whose turn did not come",
		"offer":     "nodes that offer themselves as a parent, and are not wanted or have no token for it",
	},
	"dial": {
		"address": "addresses that others name and that mean nothing in this network",
		"budget":  "addresses that others name, too many of which nobody answers at",
	},
	"gossip": {
		"malformed":     "packets and streams that no relay sends",
		"too_often":     "packets of one address that sends too many",
		"channel":       "packets for a channel that this relay does not carry",
		"strangers":     "packets of too many machines that are no members",
		"streams":       "streams, more than are answered at a time",
		"metadata":      "claims about nodes that those have not signed, or that are old",
		"unreached":     "nodes that do not answer at the address which they name",
		"address":       "nodes at addresses that mean nothing in this network",
		"share":         "nodes of one address or one prefix, of which there are many",
		"trying":        "nodes, more than are tried at a time",
		"full":          "nodes, as there are as many members as may be",
		"amplified":     "packets that would have gone to somebody who has not asked",
		"other_version": "nodes of another version of gossip",
	},
	"discovery": {
		"malformed": "queries that no relay sends",
		"elsewhere": "queries from outside this machine's networks",
		"too_often": "queries of one address that asks too often",
		"flood":     "packets of a flood of queries",
	},
}

// whereRefused says where something was refused.
var whereRefused = map[string]string{
	"link": "At the port for other nodes", "dial": "On the word of other nodes", "gossip": "In gossip", "discovery": "Where it is looked for on this network",
}

// checkRefused explains what was refused while relay doctor looked.
func checkRefused(f *findings, before, now api.Node) {
	for _, at := range slices.Sorted(maps.Keys(refusals)) {
		for _, why := range slices.Sorted(maps.Keys(now.Refused[at])) {
			n, what := now.Refused[at][why], refusals[at][why]
			grown := n - min(n, before.Refused[at][why])
			if grown == 0 || before.ID != now.ID {
				continue
			}
			if what == "" {
				what = "what is called " + why
			}
			f.note("It does no harm as it is. If it goes on, relay_refused_strangers_total of --admin shows how fast; the log of --verbose shows who.",
				"%s the relay here refuses %s: %d in the last seconds, %d since it began.", whereRefused[at], what, grown, n)
		}
	}
}
