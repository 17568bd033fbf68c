package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/lan"
	"relay/cli/listing"
	"relay/cli/term"
	"relay/cli/words"
	"relay/directory"
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
		Flags: append([]cli.Flag{
			flag.Directories(),
			flag.Text("search", "`WORDS` that channels in directories have in their title, genre or description"),
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
	at, err := flag.ReadDirectories(c)
	if err != nil {
		return err
	}
	lists := make(chan *directory.List, 1)
	go func() { // ends with the reading
		lists <- listing.Lists{At: at, Version: Version}.Look(c.Context, t, c.String("search"), c.Bool("json"))
	}()
	t.Show("looking for channels on this network")
	cat, asked, err := d.Look(c.Context, words.NewLog(t, c.Bool("verbose")), listTime, func(*lan.Catalog) bool { return false })
	t.Show("")
	l := <-lists
	if err != nil || c.Context.Err() != nil {
		return err
	}
	if len(cat.Channels) == 0 && listing.Empty(l) {
		return lan.NoneFound(asked)
	}
	if c.Bool("json") {
		err = errors.Join(lan.WriteJSON(stdio.Out, cat), listing.WriteJSON(stdio.Out, l))
	} else {
		err = printLists(stdio.Out, cat, l)
		if more := words.DirectoryMore(len(l.Channels)+len(l.PeerCast), l.Total); more != "" {
			t.Say("%s", more)
		}
	}
	if err != nil {
		return fault.Fail("", "write the list: %w", err)
	}
	return nil
}

// printLists prints what was found on this network, and then what is listed elsewhere.
func printLists(out io.Writer, cat *lan.Catalog, l *directory.List) error {
	var lines []string
	if all := cat.Sorted(); len(all) > 0 {
		lines = append([]string{lan.Head(all)}, lan.Rows(all)...)
	}
	if !listing.Empty(l) {
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, listing.Rows(l)...)
	}
	_, err := fmt.Fprintln(out, strings.Join(lines, "\n"))
	return err
}
