package cli

import (
	"errors"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/lan"
	"relay/cli/listing"
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
--private or --no-discovery does not answer. To watch one: relay watch, with its title or ID.
With --directory it also shows what is listed there: relay's directories, whose entries are
signed by the broadcasters, and index.txt of PeerCast's, of which nothing is.`,
		Flags: slices.Concat([]cli.Flag{
			flag.Toggle("json", "write one JSON object a line"),
			flag.Toggle("verbose", "log what happens to stderr"),
		}, flag.Looking(), flag.Discovery()),
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
	elsewhere, err := listing.Ask(c, t, Version)
	if err != nil {
		return err
	}
	t.Show("looking for channels on this network")
	cat, asked, err := d.Look(c.Context, words.NewLog(t, c.Bool("verbose")), listTime, func(*lan.Catalog) bool { return false })
	t.Show("")
	l := <-elsewhere
	if err != nil || c.Context.Err() != nil {
		return err
	}
	if len(cat.Channels) == 0 && listing.Empty(l) {
		return lan.NoneFound(asked)
	}
	if c.Bool("json") {
		err = errors.Join(lan.WriteJSON(stdio.Out, cat), listing.WriteJSON(stdio.Out, l))
	} else {
		var near []string
		if all := cat.Sorted(); len(all) > 0 {
			near = append([]string{lan.Head(all)}, lan.Rows(all)...)
		}
		err = listing.Print(t, stdio.Out, near, l)
	}
	if err != nil {
		return fault.Fail("", "write the list: %w", err)
	}
	return nil
}
