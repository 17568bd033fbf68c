package cli

import (
	"io"

	"github.com/urfave/cli/v2"

	"relay/cli/words"
)

// Stdio is where a command reads and writes.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
}

// jsonEvents returns the event writer for --json, or nil without that flag.
func jsonEvents(c *cli.Context, stdio Stdio) *words.Events {
	if !c.Bool("json") {
		return nil
	}
	return words.NewEvents(stdio.Out)
}
