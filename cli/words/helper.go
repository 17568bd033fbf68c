package words

import (
	"errors"
	"fmt"

	"relay/cli/term"
	"relay/relay"
	"relay/tree"
)

// HelperFailed says why a helper does not take a source's channel, whose invite that is.
func HelperFailed(h relay.Helper, inv relay.Invite, why error) Warning {
	link := inv.String()
	if inv.Access.Private() { // the warning is an event that others may read
		link = "LINK, with what relay link --join-only prints here"
	}
	w := Warning{Code: warnHelper, Text: fmt.Sprintf("the helper %s does not take this channel: %v", h.HostPort, why)}
	switch {
	case errors.Is(why, tree.ReasonNotNeeded):
		w.Text = fmt.Sprintf("the relay at %s is no helper", h.HostPort)
		w.Hint = "whoever runs it has to give --helper: relay serve --helper " + link
	case errors.Is(why, tree.ReasonChannel):
		w.Text = fmt.Sprintf("the helper %s does not carry this channel", h.HostPort)
		w.Hint = "whoever runs it has to name the link, relay serve --helper " + link + ", or tell you its token, for --token"
		if !h.Token.IsZero() {
			w.Hint = "it takes no token: whoever runs it has to give it one (--token), or name the link: relay serve --helper " + link
		}
	case errors.Is(why, tree.ReasonToken):
		w.Text = fmt.Sprintf("the helper %s does not know that token", h.HostPort)
		w.Hint = "ask whoever runs it for the right one. Still trying"
	case errors.Is(why, tree.ReasonBusy):
		w.Text = fmt.Sprintf("the helper %s was shown too many tokens from this network of late", h.HostPort)
		w.Hint = "is the token right? Still trying, less often"
	case errors.Is(why, tree.ReasonFull):
		w.Text = fmt.Sprintf("the helper %s has no room for another channel", h.HostPort)
		w.Hint = "ask whoever runs it for a higher --max-channels, or wait until another one ends. Still trying"
	case errors.Is(why, tree.ReasonTooFast):
		w.Text = fmt.Sprintf("the helper %s has dropped this channel: its bit rate is higher than it takes", h.HostPort)
		w.Hint = fmt.Sprintf("lower the bit rate in the encoder (OBS: Settings > Output > Streaming > Bitrate), or ask whoever runs the helper for a higher --max-rate; it tries again after %.0f minutes", relay.TooFastFor.Minutes())
	default:
		w.Hint = "does relay serve --helper run there, and can its port be reached? Still trying"
	}
	return w
}

// TooFast says to who runs a helper that it has dropped a channel.
func TooFast(channel string, e *relay.TooFastError) (text, hint string) {
	return fmt.Sprintf("Channel %s: dropped: its stream of %s is above --max-rate %s", channel, term.RateText(e.Rate), term.RateText(e.Most)),
		fmt.Sprintf("whoever broadcasts it has to lower the bit rate in the encoder; it is tried again after %.0f minutes. A higher --max-rate takes it as it is", relay.TooFastFor.Minutes())
}
