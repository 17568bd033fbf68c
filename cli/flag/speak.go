package flag

import (
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/lang"
	"relay/cli/term"
)

// Speak puts what the help says of each command and flag into a language. The manual page stays English, as a whole.
func Speak(app *cli.App, l *lang.Language, args []string) {
	if l == nil || len(args) > 1 && args[1] == "man" {
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

// column parts what stands in two columns.
var column = regexp.MustCompile(`^( *\S.*?  +)(\S.*)$`)

// Lines puts a text into a language, line by line, and of what stands in two columns the second one. Long
// sentences get lines of 80 columns.
func Lines(l *lang.Language, text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		m := column.FindStringSubmatch(line)
		switch {
		case strings.Contains(line, "{{"):
			label, rest, _ := strings.Cut(line, "{{")
			lines = append(lines, l.In(label)+"{{"+rest)
		case m != nil:
			lines = append(lines, m[1]+l.In(m[2]))
		case line == "" || line[0] == ' ':
			lines = append(lines, l.In(line))
		default:
			lines = append(lines, term.WrapWords(l.In(line), 80)...)
		}
	}
	return strings.Join(lines, "\n")
}
