package cli

import (
	"relay/cli/term"
	"relay/cli/words"
)

// reporter tells people and programs the same things.
type reporter struct {
	t      *term.Terminal
	events *words.Events // nil without --json
}

// warn says what is wrong and what to do about it.
func (h reporter) warn(w words.Warning) {
	h.t.Warn(w.Text, w.Hint)
	h.events.Tell(w.Event())
}
