package flag

import (
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/lang"
	"relay/cli/term"
)

// Speak puts what the help says of each command and flag into the person's language, and has it fit the terminal. What is no
// terminal gets it in English as it is written here. The manual page stays English, as a whole.
func Speak(app *cli.App, t *term.Terminal, args []string) {
	if len(args) > 1 && args[1] == "man" {
		return
	}
	st, _ := t.OutStyle()
	cli.HelpPrinter = func(w io.Writer, template string, data any) {
		var b strings.Builder
		cli.HelpPrinterCustom(&b, template, data, nil)
		for line := range strings.Lines(b.String()) {
			_, _ = io.WriteString(w, strings.Join(st.Fold(strings.TrimSuffix(line, "\n")), "\n")+"\n") // as urfave/cli itself has it
		}
	}
	l := t.Lang
	if l == nil && st.Width == 0 {
		return
	}
	for _, c := range app.Commands {
		c.Description = Lines(t, strings.Join(lang.Unbroken(c.Description), "\n"))
	}
	if l == nil {
		return
	}
	if f, ok := cli.HelpFlag.(*cli.BoolFlag); ok {
		f.Usage = l.In("show help")
	}
	drawn := cli.FlagStringer
	cli.FlagStringer = func(f cli.Flag) string { return strings.Replace(drawn(f), byDefault, l.In(byDefault), 1) }
	for _, c := range app.Commands {
		c.Usage = l.In(c.Usage)
		for _, f := range c.Flags {
			switch f := f.(type) {
			case *cli.StringFlag:
				f.Usage = l.In(f.Usage)
			case *cli.BoolFlag:
				f.Usage = l.In(f.Usage)
			case *cli.IntFlag:
				f.Usage = l.In(f.Usage)
			case *cli.StringSliceFlag:
				f.Usage = l.In(f.Usage)
			}
		}
	}
}

// byDefault is what urfave/cli puts in front of a flag's default.
const byDefault = "(default:"

// widest is how many columns a sentence of the help takes at most, as longer lines are hard to read.
const widest = 80

// Lines puts a text into the person's language, line by line, and of what stands in two columns the second one. Long
// sentences are broken.
func Lines(t *term.Terminal, text string) string {
	st, _ := t.OutStyle()
	if st.Width == 0 || st.Width > widest {
		st.Width = widest
	}
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		label, rest := term.Label(line)
		switch {
		case strings.Contains(line, "{{"):
			label, rest, _ := strings.Cut(line, "{{")
			lines = append(lines, t.Lang.In(label)+"{{"+rest)
		case label != "":
			lines = append(lines, label+t.Lang.In(rest))
		case line == "" || line[0] == ' ':
			lines = append(lines, t.Lang.In(line))
		default:
			lines = append(lines, term.WrapWords(t.Lang.In(line), st.Width)...)
		}
	}
	return strings.Join(lines, "\n")
}
