package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"relay/playback"
	"relay/relay"
)

const (
	// topEvery is how often relay top asks. The relay itself asks no more often.
	topEvery = time.Second
	// topLook is how often the size of the terminal is looked at. A signal would tell,
	// but not on every system.
	topLook = 200 * time.Millisecond
)

func topCommand(t *terminal, stdio Stdio) *cli.Command {
	return &cli.Command{
		Name:      "top",
		Usage:     "watch the nodes of a channel live, the worst first",
		UsageText: "relay top [CHANNEL] [FLAGS]",
		Description: `Asks the relay that runs on this machine every second. CHANNEL is a link, a channel
ID, a title or the first characters of either, or the name of a channel that is broadcast
from this machine. Where output is no terminal, it writes one table and ends.

HOP counts links from the source, DELAY is behind it, LOST counts chunks. UP is what
goes to a node's children now, CAP what its slots take when all are in use, SLOTS
children and how many there may be. Every link is direct, over TLS; for the links of
this machine LINK says whether they stay in its own networks (near) or not (far), and
what is not known is "-".

Keys: h d l u sort by hop, delay, loss or upload; j k, arrows and page keys scroll; tab
shows the next channel; q ends.`,
		Flags: append([]cli.Flag{
			toggle("json", "write one table as JSON and end"),
			configFlag(),
		}, askFlags()...),
		Action: func(c *cli.Context) error { return runTop(c, t, stdio) },
	}
}

// top is one run of the command.
type top struct {
	asker
	channel string // the start of an ID; "" for all
	screen  topScreen
	in, out *os.File
}

func runTop(c *cli.Context, t *terminal, stdio Stdio) error {
	if c.NArg() > 1 {
		return usage("relay help top", "relay top takes one channel, %d arguments were given", c.NArg())
	}
	own, _ := relay.OwnChannels(c.String("config")) // whose keys can be read
	s := &top{}
	var err error
	if s.channel, err = channelOf(c.Args().First(), own); err != nil {
		return err
	}
	if s.asker, err = newAsker(c); err != nil {
		return err
	}
	defer s.close()
	channels, err := s.picture(c.Context)
	if err != nil {
		return err
	}
	d := drawing{ascii: !speaksUTF8(os.Getenv, runtime.GOOS)}
	if c.Bool("json") {
		enc := json.NewEncoder(stdio.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Channels []topChannel `json:"channels"`
		}{channels})
	}
	in, inOK := stdio.In.(*os.File)
	out, outOK := stdio.Out.(*os.File)
	if !t.outTTY || !inOK || !outOK || !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		_, err := io.WriteString(stdio.Out, strings.Join(topTables(d, channels), "\n")+"\n")
		return err
	}
	d.colour = os.Getenv("NO_COLOR") == ""
	s.in, s.out = in, out
	s.screen = topScreen{drawing: d, channels: channels, order: byHop}
	return s.run(c.Context)
}

// picture asks for everything once.
func (s *top) picture(ctx context.Context) ([]topChannel, error) {
	trees, id, err := s.treesOf(ctx, s.channel)
	if err != nil {
		return nil, err
	}
	s.channel = id
	// A relay tells of itself on its own machine alone; elsewhere the tree must do.
	var own *playback.Status
	if st, err := s.status(ctx); err == nil {
		own = &st
	}
	return topChannels(trees, own), nil
}

// topNews is what the newest question brought.
type topNews struct {
	channels []topChannel
	err      error
}

// run draws until a key or ctx ends it, and leaves the terminal as it was.
func (s *top) run(ctx context.Context) error {
	screen, err := openScreen(s.in, s.out)
	if err != nil {
		return fail("", "the terminal cannot be used: %w", err)
	}
	defer screen.close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	news := make(chan topNews)
	go s.follow(ctx, screen, news) // ends with ctx
	pressed := make(chan []byte)
	go func() { // ends with the terminal, or with the process
		defer screen.closeOnPanic()
		b := make([]byte, 256)
		for {
			n, err := s.in.Read(b)
			if err != nil {
				close(pressed)
				return
			}
			select {
			case pressed <- slices.Clone(b[:n]):
			case <-ctx.Done():
				return
			}
		}
	}()
	look := time.NewTicker(topLook)
	defer look.Stop()
	var keys keyReader
	drawn := ""
	for {
		s.screen.clock = time.Now().Format(time.TimeOnly)
		s.screen.width, s.screen.height = screen.size()
		if now := onScreen(s.screen.lines(), s.screen.height); now != drawn {
			if _, err := s.out.WriteString(now); err != nil {
				return nil // nobody can see it any more
			}
			drawn = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		case b, ok := <-pressed:
			if !ok {
				return nil
			}
			for _, k := range keys.keys(b) {
				if k == keyInterrupt {
					return errInterrupted
				}
				if !s.screen.press(k) {
					return nil
				}
			}
		case n := <-news:
			s.take(n)
		}
	}
}

// follow asks again and again.
func (s *top) follow(ctx context.Context, screen *screen, news chan<- topNews) {
	defer screen.closeOnPanic()
	tick := time.NewTicker(topEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		channels, err := s.picture(ctx)
		select {
		case news <- topNews{channels, err}:
		case <-ctx.Done():
			return
		}
	}
}

// take shows what came. While nothing does, the last figures stay, and it says so.
func (s *top) take(n topNews) {
	if n.err != nil {
		s.screen.trouble = clean(n.err.Error()) + "; asking again"
		return
	}
	s.screen.trouble = ""
	was := ""
	if len(s.screen.channels) > 0 {
		was = s.screen.channels[s.screen.chosen].ID
	}
	markLosses(s.screen.channels, n.channels)
	s.screen.channels = n.channels
	s.screen.chosen = max(0, slices.IndexFunc(n.channels, func(c topChannel) bool { return c.ID == was }))
	s.screen.offset = min(s.screen.offset, s.screen.most())
}

// Codes of a terminal: a screen beside the one with the user's text, without a
// cursor; and back.
const (
	otherScreen = "\x1b[?1049h\x1b[?25l"
	ownScreen   = "\x1b[?25h\x1b[?1049l"
)

// screen is a terminal that a program has to itself.
type screen struct {
	in, out *os.File
	was     *term.State
}

func openScreen(in, out *os.File) (*screen, error) {
	was, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, err
	}
	s := &screen{in, out, was}
	if _, err := out.WriteString(otherScreen); err != nil {
		return nil, errors.Join(err, term.Restore(int(in.Fd()), was))
	}
	return s, nil
}

// close gives the terminal back as it was.
func (s *screen) close() {
	s.out.WriteString(ownScreen)
	term.Restore(int(s.in.Fd()), s.was) // there is nothing to do if it fails
}

// closeOnPanic is deferred where a panic would end the program past close, and its
// text be lost on the other screen.
func (s *screen) closeOnPanic() {
	if p := recover(); p != nil {
		s.close()
		panic(p)
	}
}

// size is the terminal's, in columns and lines; 80 and 24 of one that does not tell.
func (s *screen) size() (w, h int) {
	w, h, err := term.GetSize(int(s.out.Fd()))
	if err != nil || w <= 0 || h <= 0 {
		return 80, 24
	}
	return w, h
}

// onScreen is what draws the lines over those drawn before. A line is cleared before it
// is written: behind its last column a terminal would clear that one as well.
func onScreen(lines []string, height int) string {
	text := "\x1b[H\x1b[2K" + strings.Join(lines, "\r\n\x1b[2K")
	if len(lines) < height {
		text += "\r\n\x1b[J"
	}
	return text
}
