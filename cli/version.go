package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"relay/cli/term"
)

// Version is the release that this source is, or leads up to.
const Version = "0.1.0"

func versionCommand(t *term.Terminal) *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usage("", "relay version takes no arguments")
			}
			fmt.Fprintln(t.Out, versionText())
			return nil
		},
	}
}

func versionText() string {
	s := "relay " + Version
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, kv := range info.Settings {
			if kv.Key == "vcs.revision" && len(kv.Value) >= 12 {
				s += " " + kv.Value[:12]
			}
		}
	}
	return s + fmt.Sprintf(" (%s, %s/%s)", runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
