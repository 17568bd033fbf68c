package words

import (
	"errors"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/wire"
	"relay/tree"
)

// DialBacks writes down what other nodes found out.
func DialBacks(asked []relay.DialBack) []api.DialBack {
	var all []api.DialBack
	for _, d := range asked {
		a := api.DialBack{By: d.At.String(), Near: d.Near}
		if d.Err != nil {
			a.Problem = notTried(d.Err)
		} else {
			a.Addr, a.TCP, a.UDP = d.Addr.String(), answer(d.TCP), answer(d.UDP)
		}
		all = append(all, a)
	}
	return all
}

// notTried says why a node has not dialled.
func notTried(err error) string {
	switch {
	case errors.Is(err, tree.ReasonChannel):
		return "it does not carry the channel"
	case errors.Is(err, tree.ReasonBusy):
		return "it has dialled as often as it may for now; ask again in a minute"
	case errors.Is(err, relay.ErrOldNode):
		return err.Error()
	}
	return "it does not answer: " + term.Clean(fault.Plain(err))
}

func answer(a wire.Answer) string {
	switch a {
	case wire.Answered:
		return api.ReachOpen
	case wire.Nothing:
		return api.ReachClosed
	}
	return ""
}
