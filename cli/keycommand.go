package cli

import (
	"github.com/urfave/cli/v2"

	"relay/cli/flag"
	"relay/cli/key"
	"relay/cli/term"
)

func keyCommand(t *term.Terminal, stdio Stdio) *cli.Command {
	return &cli.Command{
		Name: "key", Usage: "show, carry over or replace the key of a channel", UsageText: key.UsageText, Description: key.About,
		Flags: []cli.Flag{flag.Text("channel", "`NAME` of the channel on this machine (default "+defaultChannel+")"), flag.Config()},
		Action: func(c *cli.Context) error {
			return key.Command{T: t, In: stdio.In, Name: c.String("channel"), Folder: c.String("config")}.Run(c.Args().Slice())
		},
	}
}
