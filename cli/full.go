//go:build !lean

package cli

import (
	"github.com/urfave/cli/v2"

	"relay/cli/flag"
)

// hidden are the commands that the list leaves out, and a lean program too.
func hidden(stdio Stdio) []*cli.Command { return []*cli.Command{flag.Abuse(stdio.Out)} }
