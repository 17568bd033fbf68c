package flag

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// InOrder puts flags in front of the other arguments. urfave/cli v2 stops looking for flags at
// the first argument that is not a flag, but people write "relay watch LINK --player mpv".
// Nothing after "--" is taken for a flag.
func InOrder(args []string, flags []cli.Flag) []string {
	var front, rest []string
	for i := 0; i < len(args); i++ {
		a := undashed(args[i], flags)
		if a == "--" {
			rest = append(rest, args[i+1:]...)
			break
		}
		if len(a) < 2 || a[0] != '-' {
			rest = append(rest, a)
			continue
		}
		front = append(front, a)
		if !strings.Contains(a, "=") && TakesValue(strings.TrimLeft(a, "-"), flags) {
			i++
			if i == len(args) {
				return front // its value is missing, and the "--" below would be taken as the value
			}
			front = append(front, args[i])
		}
	}
	if len(rest) > 0 {
		front = append(front, "--") // an argument such as "-" is not a flag
	}
	return append(front, rest...)
}

func TakesValue(name string, flags []cli.Flag) bool {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			d, ok := f.(cli.DocGenerationFlag)
			return ok && d.TakesValue()
		}
	}
	return false
}
