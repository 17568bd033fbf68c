package upkeep

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/term"
)

// commitLen is how many digits of a commit are printed: enough to tell any two apart.
const commitLen = 12

// VersionCommand prints a release's version.
func VersionCommand(t *term.Terminal, release string) *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return fault.Usage("", "relay version takes no arguments")
			}
			fmt.Fprintln(t.Out, versionText(release))
			return nil
		},
	}
}

// versionText names the release and what the binary was built from. go run and go test record
// no commit.
func versionText(release string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{GoVersion: runtime.Version()}
	}
	return versionOf(release, info)
}

func versionOf(release string, info *debug.BuildInfo) string {
	commit, modified := "", false
	for _, kv := range info.Settings {
		switch kv.Key {
		case "vcs.revision":
			commit = kv.Value[:min(len(kv.Value), commitLen)]
		case "vcs.modified":
			modified = kv.Value == "true"
		}
	}
	s := "relay " + release
	if commit != "" {
		s += " commit " + commit
		if modified {
			s += " with changes"
		}
	}
	return fmt.Sprintf("%s (%s, %s/%s)", s, info.GoVersion, runtime.GOOS, runtime.GOARCH)
}
