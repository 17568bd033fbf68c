package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/term"
	"relay/playback/api"
	"relay/relay"
)

// listTime is how long relay list waits for answers: a dozen queries, so that one that
// is lost on a radio hides no channel.
const listTime = time.Second

func listCommand(t *term.Terminal, stdio Stdio) *cli.Command {
	return &cli.Command{
		Name:      "list",
		Usage:     "list the channels on this network",
		UsageText: "relay list [FLAGS]",
		Description: `Asks on every network interface for a second. A source that was started with
--no-discovery does not answer. To watch one: relay watch, with its title or ID.`,
		Flags: append([]cli.Flag{
			flag.Toggle("json", "write one JSON object a line"),
			flag.Toggle("verbose", "log what happens to stderr"),
		}, discoveryFlags()...),
		Action: func(c *cli.Context) error { return runList(c, t, stdio) },
	}
}

func runList(c *cli.Context, t *term.Terminal, stdio Stdio) error {
	if c.NArg() > 0 {
		return fault.Usage("relay watch NAME watches one", "relay list takes no arguments")
	}
	d, err := readDiscovery(c)
	if err != nil {
		return err
	}
	t.Show("looking for channels on this network")
	cat, asked, err := d.look(c.Context, newLog(t, c.Bool("verbose")), listTime, func(*catalog) bool { return false })
	t.Show("")
	if err != nil || c.Context.Err() != nil {
		return err
	}
	if len(cat.of) == 0 {
		return noneFound(asked)
	}
	if c.Bool("json") {
		err = writeListed(stdio.Out, cat)
	} else {
		_, err = fmt.Fprintf(stdio.Out, "%s\n%s\n", listHead(cat.sorted()), strings.Join(rows(cat.sorted()), "\n"))
	}
	if err != nil {
		return fault.Fail("", "write the list: %w", err)
	}
	return nil
}

func writeListed(w io.Writer, cat *catalog) error {
	enc := json.NewEncoder(w)
	for _, s := range cat.sorted() {
		l := api.Listed{
			ID: s.ID.String(), Name: s.ID.Short(), Title: s.Title, State: s.State.String(), BitRate: s.BitRate, BitRateBPS: s.BitRate, Source: s.Source,
			FoundMs: float64(s.after.Microseconds()) / 1000,
		}
		for _, a := range s.addrs {
			l.Addrs = append(l.Addrs, a.String())
		}
		if hosts, _ := seedsOf(s.addrs); len(hosts) > 0 {
			l.Link = relay.Invite{Channel: s.ID}.With(hosts...).String()
		}
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// titleWidth is the column for titles, which are as long as the longest of them.
func titleWidth(ss []*seen) int {
	w := len("TITLE")
	for _, s := range ss {
		w = max(w, utf8.RuneCountInString(s.Title))
	}
	return w
}

func listHead(ss []*seen) string {
	return row("CHANNEL", "TITLE", titleWidth(ss), "STATE", "BIT RATE", "AT")
}

// rows is a line for each channel, with strangers' text made safe.
func rows(ss []*seen) []string {
	w := titleWidth(ss)
	var lines []string
	for _, s := range ss {
		rate := ""
		if s.BitRate > 0 {
			rate = term.RateText(s.BitRate)
		}
		at := s.addrs[0].String()
		if n := len(s.addrs) - 1; n > 0 {
			at += fmt.Sprintf(" +%d", n)
		}
		lines = append(lines, row(s.ID.Short(), s.Title, w, s.State.String(), rate, at))
	}
	return lines
}

func row(id, title string, width int, state, rate, at string) string {
	pad := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(title)))
	return fmt.Sprintf("%-8s  %s%s  %-7s  %9s  %s", id, title, pad, state, rate, at)
}
