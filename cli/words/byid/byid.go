// Package byid holds what people are told of channels that are found by their IDs.
package byid

import (
	"errors"
	"fmt"
	"time"

	"relay/cli/fault"
	"relay/cli/finding"
	"relay/cli/term"
	"relay/cli/words"
	"relay/relay"
	"relay/relay/dht"
)

// Unnamed says that a link without an address is looked for by its ID.
const Unnamed = "The link names no address: the channel is looked up by its ID."

// Public says what --public makes visible, and how to watch then.
func Public(inv relay.Invite) []string {
	who := "Whoever has the channel's ID can look this machine's address up in the BitTorrent DHT, and those of some viewers whom anybody can reach."
	if inv.Access.Private() {
		who = "Whoever has this link can look this machine's address up in the BitTorrent DHT, and those of some viewers whom anybody can reach; its ID alone finds nothing."
	}
	return []string{"By ID   relay watch " + relay.Invite{Channel: inv.Channel, Access: inv.Access}.Link(), who}
}

// LookedUp says what came of looking a channel up by its ID. bare says that the link names no address, so
// that this is the only way.
func LookedUp(l finding.Lookup, bare bool, now time.Time) string {
	switch {
	case l.Err == nil:
		return found(l, now)
	case errors.Is(l.Err, dht.ErrNotFound) && bare:
		return "The BitTorrent DHT has nothing of this channel: its source has not run with --public in the last two hours, or the ID is another. It is looked up again."
	case errors.Is(l.Err, dht.ErrNotFound):
		return "Nor is anything of this channel in the BitTorrent DHT: its source has not run with --public in the last two hours."
	case errors.Is(l.Err, dht.ErrNobody):
		return "No node of the BitTorrent DHT answers: this network may not let UDP through, or there is no Internet here now."
	}
	return fmt.Sprintf("The channel cannot be looked up by its ID: %s.", fault.Plain(l.Err))
}

// found says what was found, and how far it can be trusted to be so still.
func found(l finding.Lookup, now time.Time) string {
	name := "the channel"
	if l.Found.Title != "" {
		name = fmt.Sprintf("%q", term.Clean(l.Found.Title))
	}
	ago := term.UptimeText(int64(l.Found.Age(now).Seconds()))
	switch {
	case l.Old:
		return fmt.Sprintf("What the BitTorrent DHT has of %s is of an earlier broadcast than was watched here before, from %s ago. Its addresses are tried all the same.", name, ago)
	case !l.Found.Live:
		return fmt.Sprintf("The BitTorrent DHT has %s, and its source said %s ago that it is off the air. Its addresses are tried all the same.", name, ago)
	case len(l.Found.Places) == 0:
		return fmt.Sprintf("The BitTorrent DHT has %s, and its source said %s ago that it is live, at no address that can be reached from elsewhere.", name, ago)
	}
	return fmt.Sprintf("Found %s by its ID in the BitTorrent DHT, as its source said %s ago.", name, ago)
}

// Published says what came of having a channel found by its ID: a sentence if it is, and else a warning.
func Published(p finding.Published) (says string, w words.Warning) {
	w.Code = words.WarnNotFound
	const again = "this network may not let UDP through; it is tried again each minute, and the link works all the same"
	switch {
	case errors.Is(p.Err, dht.ErrNobody):
		w.Text, w.Hint = "no node of the BitTorrent DHT answers, so the channel cannot be found by its ID yet", again
	case p.Err != nil:
		w.Text, w.Hint = fmt.Sprintf("the channel cannot be found by its ID yet: %s", fault.Plain(p.Err)), again
	case p.Nodes == 0:
		w.Text, w.Hint = "no node of the BitTorrent DHT has kept where the channel is, so it cannot be found by its ID yet", again
	case p.None:
		w.Text, w.Hint = "the channel is found by its ID, but at no address that others elsewhere can reach", "open the port for links in the router, name an address with --advertise, or use a helper: relay source --via"
	default:
		return fmt.Sprintf("The channel can be found by its ID: %d nodes of the BitTorrent DHT keep where it is.", p.Nodes), w
	}
	return "", w
}
