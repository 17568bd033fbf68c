package cli

import (
	"github.com/urfave/cli/v2"

	"relay/cli/demo"
	"relay/cli/fault"
	"relay/cli/term"
)

func demoCommand(t *term.Terminal) *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "broadcast a bundled clip through a source and six relays on this machine",
		Description: `Everything runs in this process, over real links on the loopback address. Open
any of the addresses in VLC or mpv, or without its last part in a browser. Ctrl-C ends
all.`,
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return fault.Usage("relay source FILE broadcasts a file of yours", "relay demo takes no arguments")
			}
			return demo.Run(c.Context, t, Version)
		},
	}
}
