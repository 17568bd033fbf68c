package cli

import "relay/cli/term"

// herald tells people and programs the same things.
type herald struct {
	t      *term.Terminal
	events *events // nil without --json
}

// warn says what is wrong and what to do about it.
func (h herald) warn(w warning) {
	h.t.Say(h.t.Tint(term.Yellow, "relay: warning:")+" %s", w.Text)
	if w.Hint != "" {
		h.t.Hint("%s", w.Hint)
	}
	h.events.tell(w.event())
}
