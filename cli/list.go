package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/lan"
	"relay/cli/term"
	"relay/cli/words"
)

// listTime is how long relay list waits for answers. It allows a dozen queries, so that one lost
// over Wi-Fi hides no channel.
const listTime = time.Second

func listCommand(t *term.Terminal, stdio Stdio) *cli.Command {
	return &cli.Command{
		Name:      "list",
		Usage:     "list the channels on this network",
		UsageText: "relay list [FLAGS]",
		Description: `Asks on every network interface for a second. A source that was started with
--private or --no-discovery does not answer. To watch one: relay watch, with its title or ID.`,
		Flags: append([]cli.Flag{
			flag.Toggle("json", "write one JSON object a line"),
			flag.Toggle("verbose", "log what happens to stderr"),
		}, flag.Discovery()...),
		Action: func(c *cli.Context) error { return runList(c, t, stdio) },
	}
}

func runList(c *cli.Context, t *term.Terminal, stdio Stdio) error {
	if c.NArg() > 0 {
		return fault.Usage("relay watch NAME watches one", "relay list takes no arguments")
	}
	d, err := flag.ReadDiscovery(c)
	if err != nil {
		return err
	}
	t.Show(t.Lang.In("looking for channels on this network"))
	cat, asked, err := d.Look(c.Context, words.NewLog(t, c.Bool("verbose")), listTime, func(*lan.Catalog) bool { return false })
	t.Show("")
	if err != nil || c.Context.Err() != nil {
		return err
	}
	if len(cat.Channels) == 0 {
		return lan.NoneFound(asked)
	}
	if c.Bool("json") {
		err = lan.WriteJSON(stdio.Out, cat)
	} else {
		_, err = fmt.Fprintf(stdio.Out, "%s\n%s\n", lan.Head(cat.Sorted()), strings.Join(lan.Rows(cat.Sorted()), "\n"))
	}
	if err != nil {
		return fault.Fail("", "write the list: %w", err)
	}
	return nil
}
