package trees

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"slices"
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
	// topEvery is how often relay top asks. The relay itself asks no more often.
	topEvery = time.Second
	// topLook is how often the size of the terminal is looked at. A signal would tell,
	// but not on every system.
	topLook = 200 * time.Millisecond
)

// Top is relay top, on a terminal if in and out are one.
func Top(t *term.Terminal, in io.Reader, out io.Writer) *cli.Command {
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
			flag.Toggle("json", "write one table as JSON and end"),
			flag.Config(),
		}, flag.AskFlags()...),
		Action: func(c *cli.Context) error { return runTop(c, t, in, out) },
	}
}

// top is one run of the command.
type top struct {
	*ask.Relay
	channel string // the start of an ID; "" for all
	screen  treedraw.Top
	in, out *os.File
}

func runTop(c *cli.Context, t *term.Terminal, stdin io.Reader, stdout io.Writer) error {
	s := &top{}
	own, _ := store.OwnChannels(c.String("config")) // whose keys can be read
	relay, channel, err := flag.AskedOf(c, c.Args().Slice(), own)
	if err != nil {
		return err
	}
	s.Relay, s.channel = relay, channel
	defer s.Close()
	channels, err := s.picture(c.Context)
	if err != nil {
		return err
	}
	st, _ := t.OutStyle()
	if c.Bool("json") {
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(api.Top{Channels: channels})
	}
	in, inOK := stdin.(*os.File)
	out, outOK := stdout.(*os.File)
	if !t.OutTTY || !inOK || !outOK || !term.IsTTY(in) {
		_, err := io.WriteString(stdout, strings.Join(treedraw.Tables(term.Style{ASCII: st.ASCII, Lang: st.Lang}, channels), "\n")+"\n")
		return err
	}
	s.in, s.out = in, out
	s.screen = treedraw.Top{Style: st, Channels: channels, Order: treedraw.ByHop}
	return s.run(c.Context)
}

// picture asks for everything once.
func (s *top) picture(ctx context.Context) ([]api.TopChannel, error) {
	trees, id, err := s.TreesOf(ctx, s.channel)
	if err != nil {
		return nil, err
	}
	s.channel = id
	// A relay gives its status only to its own machine; elsewhere the tree must do.
	var own *api.Status
	if st, err := s.Status(ctx); err == nil {
		own = &st
	}
	return treedraw.Channels(trees, own), nil
}

// topNews is the answer to one request, or its error.
type topNews struct {
	channels []api.TopChannel
	err      error
}

// run draws until a key or ctx ends it, and leaves the terminal as it was.
func (s *top) run(ctx context.Context) error {
	screen, err := term.OpenScreen(s.in, s.out)
	if err != nil {
		return fault.Fail("", "the terminal cannot be used: %w", err)
	}
	defer screen.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	news := make(chan topNews)
	go s.follow(ctx, screen, news) // ends with ctx
	pressed := s.pressed(ctx, screen)
	look := time.NewTicker(topLook)
	defer look.Stop()
	var keys term.KeyReader
	drawn := ""
	for {
		s.screen.Clock = time.Now().Format(time.TimeOnly)
		s.screen.Width, s.screen.Height = screen.Size()
		if now := term.OnScreen(s.screen.Lines(), s.screen.Height); now != drawn {
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
			for _, k := range keys.Keys(b) {
				if k == term.KeyInterrupt {
					return fault.ErrInterrupted
				}
				if !s.screen.Press(k) {
					return nil
				}
			}
		case n := <-news:
			s.take(n)
		}
	}
}

// pressed returns a channel of typed bytes. It closes when the terminal does, and sends nothing
// after ctx ends.
func (s *top) pressed(ctx context.Context, screen *term.Screen) <-chan []byte {
	typed := make(chan []byte)
	go func() { // ends with the terminal, or with the process
		defer screen.CloseOnPanic()
		b := make([]byte, 256)
		for {
			n, err := s.in.Read(b)
			if err != nil {
				close(typed)
				return
			}
			select {
			case typed <- slices.Clone(b[:n]):
			case <-ctx.Done():
				return
			}
		}
	}()
	return typed
}

// follow asks every topEvery and sends the answers to news, until ctx ends.
func (s *top) follow(ctx context.Context, screen *term.Screen, news chan<- topNews) {
	defer screen.CloseOnPanic()
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

// take shows one answer. After an error the last figures stay, and the screen names the error.
func (s *top) take(n topNews) {
	if n.err != nil {
		s.screen.Trouble = term.Clean(fault.Plain(n.err)) + "; asking again"
		return
	}
	s.screen.Take(n.channels)
}
