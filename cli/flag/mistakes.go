package flag

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
)

// maxTyped is the longest word, in bytes, for which relay guesses what was meant. No command or
// flag is as long.
const maxTyped = 40

// These are the phrases in which urfave/cli and Go's flag package report wrong flags.
var (
	flagUnknown = regexp.MustCompile(`^flag provided but not defined: --?(.*)$`)
	flagLacks   = regexp.MustCompile(`^flag needs an argument: --?(.*)$`)
	flagInvalid = regexp.MustCompile(`^invalid (?:boolean )?value "(.*)" for (?:flag )?--?([^:]*): .*$`)
)

// UsageError returns an error that says what is wrong with flags and how to write them.
func UsageError(c *cli.Context, err error, _ bool) error {
	if c.Command == nil || c.Command.Name == "relay" || c.Command.Name == "" {
		if m := flagUnknown.FindStringSubmatch(err.Error()); m != nil {
			return fault.Usage("flags follow the command, as in relay watch LINK --no-relay; relay help lists the commands", "relay alone has no flag %s", Dashed(m[1]))
		}
		return fault.Usage("relay help lists the commands", "%w", err)
	}
	name := c.Command.Name
	hint := "relay help " + name + " lists the flags"
	if m := flagUnknown.FindStringSubmatch(err.Error()); m != nil {
		if near := Nearest(m[1], Names(c.Command.VisibleFlags())); near != "" {
			hint = fmt.Sprintf("Did you mean %s? %s", Dashed(near), hint)
		}
		return fault.Usage(hint, "relay %s has no flag %s", name, Dashed(m[1]))
	}
	if m := flagLacks.FindStringSubmatch(err.Error()); m != nil {
		return fault.Usage(hint, "%s needs a value", Dashed(m[1]))
	}
	if m := flagInvalid.FindStringSubmatch(err.Error()); m != nil {
		return fault.Usage(hint, "%q is no value for %s", m[1], Dashed(m[2]))
	}
	return fault.Usage(hint, "%w", err)
}

func UnknownCommand(app *cli.App, name string) error {
	hint := "relay help lists the commands"
	var names []string
	for _, c := range app.VisibleCommands() {
		names = append(names, c.Names()...)
	}
	if near := Nearest(name, names); near != "" {
		hint = fmt.Sprintf("Did you mean %q? %s", near, hint)
	}
	if strings.HasPrefix(name, "relay:") {
		hint = "to watch that link: relay watch " + name
	}
	return fault.Usage(hint, "there is no command %q", name)
}

func Dashed(flag string) string {
	if len(flag) == 1 {
		return "-" + flag
	}
	return "--" + flag
}

func Names(flags []cli.Flag) []string {
	var names []string
	for _, f := range flags {
		names = append(names, f.Names()...)
	}
	return names
}

// Nearest returns the name that somebody who typed word most likely meant, "" if no name is
// close enough. Up to a third of the characters may be wrong.
func Nearest(word string, names []string) string {
	if len(word) > maxTyped {
		return ""
	}
	best, least := "", len(word)/3+1
	for _, n := range names {
		if len(n) < 2 || len(word) < 2 {
			continue
		}
		if strings.HasPrefix(n, word) {
			return n
		}
		if d := typos(word, n); d < least {
			best, least = n, d
		}
	}
	return best
}

// typos counts the characters to add, drop, change or swap with the next one in order to turn a
// into b (optimal string alignment).
func typos(a, b string) int {
	// rows[i][j] is the count for the first i characters of a and j of b.
	var rows [][]int
	for i := range len(a) + 1 {
		rows = append(rows, make([]int, len(b)+1))
		for j := range len(b) + 1 {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
			default:
				rows[i][j] = 1 + slices.Min([]int{rows[i-1][j-1], rows[i-1][j], rows[i][j-1]})
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
