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
	return err
}
