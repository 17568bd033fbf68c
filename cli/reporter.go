package cli

import "relay/cli/term"

// reporter tells people and programs the same things.
type reporter struct {
	t      *term.Terminal
	events *events // nil without --json
}

// warn says what is wrong and what to do about it.
func (h reporter) warn(w warning) {
	h.t.Say(h.t.Tint(term.Yellow, "relay: warning:")+" %s", w.Text)
	if w.Hint != "" {
		h.t.Hint("%s", w.Hint)
	}
	h.events.tell(w.event())
}
