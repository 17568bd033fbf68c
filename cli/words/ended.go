package words

import (
	"errors"

	"relay/cli/fault"
	"relay/relay"
)

// Ended explains why a channel has ended by itself; it returns every other error as it is.
func Ended(err error) error {
	if r, ok := errors.AsType[*relay.ReplacedError](err); ok {
		return &fault.Error{
			Err:  r,
			Hint: "viewers have gone over to that one. If you have started it, all is well. If not, somebody else has the key: run relay key rotate, and give viewers the new link",
			Code: fault.ExitReplaced,
		}
	}
	if s, ok := errors.AsType[*relay.StolenError](err); ok {
		return &fault.Error{
			Err:  s,
			Hint: "do not trust what was shown last. Whoever broadcasts: relay key rotate, and give viewers the new link in a way that they know to be yours",
			Code: fault.ExitStolen,
		}
	}
	return err
}

// EndedWatching explains why a channel has ended by itself, or has not begun, where it was watched.
func EndedWatching(err error) error {
	err = Ended(err)
	if _, ok := errors.AsType[*fault.Error](err); ok || err == nil {
		return err
	}
	return &fault.Error{Err: err, Hint: "check the host name in the link, and this machine's network", Code: fault.ExitNobody}
}
