package words

import "relay/relay"

// NotLive says to who watches that what is offered is no live stream, or that a clock is wrong.
func NotLive(n relay.NotLive) Warning {
	w := Warning{Code: WarnRecording, Text: n.Error() + ". It is not played; this node goes on looking for the live stream"}
	switch {
	case n.Ahead():
		w.Hint = "set this machine's clock, or tell the broadcaster to set that of the source: one of them is wrong"
	case n.Later.IsZero():
		w.Hint = "if this machine's clock or the source's is wrong, set it; to watch all the same: relay watch --recording LINK"
	}
	return w
}
