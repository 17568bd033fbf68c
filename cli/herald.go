package cli

// herald tells people and programs the same things.
type herald struct {
	t      *terminal
	events *events // nil without --json
}

// warn says what is wrong and what to do about it.
func (h herald) warn(w warning) {
	h.t.say(h.t.tint(yellow, "relay: warning:")+" %s", w.Text)
	if w.Hint != "" {
		h.t.hint("%s", w.Hint)
	}
	h.events.send("warning", &warningEvent{Code: w.Code, Text: clean(w.Text), Hint: clean(w.Hint)})
}
