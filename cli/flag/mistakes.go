package flag

import (
	"cmp"
	"fmt"
	"regexp"

	"github.com/urfave/cli/v2"

	"relay/cli/ask"
	"relay/cli/fault"
)

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
		if meant := meantFlag(m[1], c.Command.Flags); meant != "" {
			hint = meant
		} else if near := fault.Nearest(m[1], Names(c.Command.VisibleFlags())); near != "" {
			hint = fmt.Sprintf("Did you mean %s? %s", Dashed(near), hint)
		}
		return fault.Usage(hint, "relay %s has no flag %s", name, Dashed(m[1]))
	}
	if m := flagLacks.FindStringSubmatch(err.Error()); m != nil {
		return fault.Usage(cmp.Or(valueOf(m[1], c.Command.Flags), hint), "%s needs a value", Dashed(m[1]))
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
	if meant := meantCommand(name); meant != "" {
		hint = meant
	} else if near := fault.Nearest(name, names); near != "" {
		hint = fmt.Sprintf("Did you mean %q? %s", near, hint)
	}
	return fault.Usage(hint, "there is no command %q", ask.Shown(name))
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
