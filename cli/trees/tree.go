package trees

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/ask"
	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/term"
	"relay/cli/treedraw"
	"relay/playback/api"
	"relay/relay/store"
)

const (
	// treeEvery is how often --watch draws.
	treeEvery = time.Second
	// treeLines is how many nodes are drawn on a terminal: a few screens.
	treeLines = 100
	// treeFrame is how many lines --watch needs beside the nodes: two of the summary,
	// a blank one, headings, two of what is left out, one of PeerCast, and the cursor's.
	treeFrame = 8
)

// Tree is relay tree, which writes to out.
func Tree(t *term.Terminal, out io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "tree",
		Usage:     "show who passes a channel on to whom",
		UsageText: "relay tree [CHANNEL] [FLAGS]",
		Description: `Asks the relay that runs on this machine, be it a source or a watcher. CHANNEL is
a link, a channel ID, a title or the first characters of either, or the name of a
channel that is broadcast from this machine; without it all are shown.

BEHIND is the delay behind the source, LOST counts chunks, SLOTS are children and
how many there may be, UPLOAD is what goes to them now.`,
		Flags: append([]cli.Flag{
			flag.Toggle("watch", "show it again every second"),
			flag.Toggle("json", "write JSON; with --watch one line for each second"),
			flag.Toggle("all", "draw every node, however many there are"),
			flag.Config(),
		}, flag.AskFlags()...),
		Action: func(c *cli.Context) error { return runTree(c, t, out) },
	}
}

// treeShow is one run of the command.
type treeShow struct {
	*ask.Relay
	channel string // the start of an ID; "" for all
	json    bool
	watch   bool
	all     bool
	t       *term.Terminal
	out     io.Writer
	onTop   int // lines of the newest drawing that the next one replaces
}

func runTree(c *cli.Context, t *term.Terminal, out io.Writer) error {
	s := &treeShow{json: c.Bool("json"), watch: c.Bool("watch"), all: c.Bool("all"), t: t, out: out}
	own, _ := store.OwnChannels(c.String("config")) // whose keys can be read
	relay, channel, err := flag.AskedOf(c, c.Args().Slice(), own)
	if err != nil {
		return err
	}
	s.Relay, s.channel = relay, channel
	defer s.Close()
	return s.run(c.Context)
}

func (s *treeShow) run(ctx context.Context) error {
	tick := time.NewTicker(treeEvery)
	defer tick.Stop()
	for {
		trees, id, err := s.TreesOf(ctx, s.channel)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		s.channel = id
		if err := s.show(trees); err != nil {
			return fault.Fail("", "write the tree: %w", err)
		}
		if !s.watch {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *treeShow) show(trees api.Trees) error {
	if s.json {
		enc := json.NewEncoder(s.out)
		if !s.watch {
			enc.SetIndent("", "  ")
		}
		return enc.Encode(trees)
	}
	d, height := s.drawing()
	var lines []string
	for i, t := range trees.Channels {
		if i > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, d.Draw(t)...)
	}
	if len(trees.Channels) == 0 {
		lines = append(lines, d.Lang.In("No channel is open at "+s.Addr+"."))
	}
	if !s.watch || !s.t.OutTTY {
		if s.watch {
			lines = append(lines, "")
		}
		_, err := io.WriteString(s.out, strings.Join(lines, "\n")+"\n")
		return err
	}
	lines = lines[:min(len(lines), height-1)] // what scrolled away could not be redrawn
	var b strings.Builder
	if s.onTop > 0 {
		fmt.Fprintf(&b, "\r\x1b[%dA", s.onTop)
	}
	for _, l := range lines {
		b.WriteString(l + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	s.onTop = len(lines)
	_, err := io.WriteString(s.out, b.String())
	return err
}

// drawing returns how to draw now, and the screen's height in lines, 0 without a terminal.
func (s *treeShow) drawing() (d treedraw.Drawing, height int) {
	d.Style, height = s.t.OutStyle()
	if !s.t.OutTTY {
		return d, 0
	}
	switch {
	case s.all:
	case s.watch:
		d.Most = max(1, height-treeFrame)
	default:
		d.Most = treeLines
	}
	return d, height
}
