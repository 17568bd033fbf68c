package words

import (
	"errors"
	"fmt"

	"relay/relay"
	"relay/tree"
)

// HelperFailed says why a helper does not take a source's channel, whose link that is.
func HelperFailed(h relay.Helper, link string, why error) Warning {
	w := Warning{Code: warnHelper, Text: fmt.Sprintf("the helper %s does not take this channel: %v", h.HostPort, why)}
	switch {
	case errors.Is(why, tree.ReasonNotNeeded):
		w.Text = fmt.Sprintf("the relay at %s is no helper", h.HostPort)
		w.Hint = "whoever runs it has to give --helper: relay serve --helper " + link
	case errors.Is(why, tree.ReasonChannel):
		w.Text = fmt.Sprintf("the helper %s does not carry this channel", h.HostPort)
		w.Hint = "whoever runs it has to name the link: relay serve --helper " + link
	default:
		w.Hint = "does relay serve --helper run there, and can its port be reached? Still trying"
	}
	return w
}
