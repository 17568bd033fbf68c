package upkeep

import (
	"context"
	"io"
	"os"
	"strings"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/cli/words"
)

// Begin asks who has typed nothing but relay what is wanted, and returns the command: "help" also where
// nobody can be asked, and "" for nothing at all.
func Begin(ctx context.Context, t *term.Terminal, in io.Reader) (command string, err error) {
	f, ok := in.(*os.File)
	if !ok || !term.IsTTY(f) || !t.ErrTTY || !t.OutTTY {
		return "help", nil
	}
	st := t.Style()
	lines := append(st.Fold(t.Lang.In(words.BeginTitle)), "")
	var keys []term.Key
	for _, c := range words.Begin {
		text := st.Fold("  " + string(c.Key) + "  " + t.Lang.In(c.Text))
		text[0] = strings.Replace(text[0], string(c.Key), t.Tint(term.Bold, string(c.Key)), 1)
		lines = append(lines, text...)
		keys = append(keys, term.Key(c.Key))
	}
	lines = append(append(lines, ""), st.Fold(t.Lang.In(words.BeginAsk))...)
	k, err := t.Choose(ctx, f, lines, append(keys, 'q'))
	switch {
	case ctx.Err() != nil:
		return "", nil // it was ended: Main knows by whom
	case err != nil:
		return "help", nil // a terminal that is none
	case k == term.KeyInterrupt:
		return "", fault.ErrInterrupted
	}
	for _, c := range words.Begin {
		switch {
		case k != term.Key(c.Key):
		case c.Command == "":
			return "help", nil
		default:
			t.Say(words.BeginRuns, c.Command)
			return c.Command, nil
		}
	}
	return "", nil
}
