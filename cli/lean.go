//go:build lean

package cli

import "github.com/urfave/cli/v2"

func hidden(Stdio) []*cli.Command { return nil }
