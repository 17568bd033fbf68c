package cli

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/lan"
	"relay/cli/station"
	"relay/cli/term"
	"relay/cli/words"
	"relay/ingest"
	"relay/playback"
	"relay/relay"
	"relay/relay/stream"
	flvdata "relay/testdata/flv"
	"relay/tree"
)

const (
	demoRelays = 6
	demoSlots  = 2 // so that six relays stand two deep
	// demoReport is how often the figures are printed where they cannot be redrawn.
	demoReport = 10 * time.Second
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
			return runDemo(c.Context, t)
		},
	}
}

// demoNode is one node of the demo.
type demoNode struct {
	name    string
	station *station.Station
	channel *relay.Channel
}

func runDemo(ctx context.Context, t *term.Terminal) error {
	g := newGroup(ctx)
	defer g.stop()
	_, channelKey, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	var nodes []demoNode
	for i := range demoRelays + 1 {
		st, err := demoStation(t, i)
		if err != nil {
			return err
		}
		n := demoNode{name: "source", station: st}
		if i == 0 {
			var w *stream.Writer
			if n.channel, w, err = st.Node.Source(channelKey, stream.NextEpoch(stream.Epoch{}, time.Now(), 0)); err != nil {
				return err
			}
			input := ingest.NewInput(w, nil)
			clip := &ingest.File{From: bytes.NewReader(flvdata.Demo), Path: "the bundled clip", Loop: true, Open: input.Open}
			g.Go(func() error {
				if err := clip.Run(g.ctx); g.ctx.Err() == nil {
					return err
				}
				return nil // as in source.run
			})
		} else {
			n.name = fmt.Sprintf("relay %d", i)
			u, err := relay.ParseInvite(nodes[0].station.Link(nodes[0].channel))
			if err != nil {
				return err
			}
			if n.channel, err = st.Node.Watch(u, nil); err != nil {
				return err
			}
		}
		st.Show(n.channel, nil)
		st.Run(g.ctx, g.Group)
		g.Go(func() error { return n.channel.Run(g.ctx) })
		nodes = append(nodes, n)
	}
	t.Say("A clip goes from a source through six relays. Open any address in VLC or mpv, or without its last part in a browser:")
	t.Say("")
	g.Go(func() error { showDemo(g.ctx, t, nodes); return nil })
	return g.Wait()
}

func demoStation(t *term.Terminal, i int) (*station.Station, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	return station.Open(t, words.NewLog(t, false), station.Config{
		Key: key, Version: Version,
		Listen: station.Port{What: "links", Flag: "listen", Addr: "127.0.0.1:0"},
		HTTP:   station.Port{What: "players", Flag: "http", Addr: fmt.Sprintf("127.0.0.1:%d", playback.DefaultPort+i), Quiet: true},
		Slots:  demoSlots,
		// It is watched at this machine, and listens nowhere else.
		Discovery: lan.Config{Off: true},
	})
}

// showDemo draws the tree: again and again on a terminal, else once complete and
// then a line of figures at times.
func showDemo(ctx context.Context, t *term.Terminal, nodes []demoNode) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	drawn := time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			lines, sum := drawDemo(nodes)
			if t.ErrTTY {
				t.Show(strings.Join(append(lines, "", sum), "\n"))
				continue
			}
			switch {
			case drawn.IsZero() && len(lines) == len(nodes):
				for _, l := range lines {
					t.Print(l)
				}
				t.Say("")
				fallthrough
			case !drawn.IsZero() && now.Sub(drawn) >= demoReport:
				t.Say("%s", sum)
				drawn = now
			}
		}
	}
}

// drawDemo returns a line per node that is attached, as a tree, and a line about
// all.
func drawDemo(nodes []demoNode) (lines []string, sum string) {
	stats := make([]relay.Status, len(nodes))
	below := make(map[tree.ID][]int)
	var deepest int
	var slowest time.Duration
	var lost uint64
	for i, n := range nodes {
		stats[i], _ = n.channel.Status()
		if p := stats[i].Tree.Parent; !p.ID.IsZero() {
			below[p.ID] = append(below[p.ID], i)
		}
		deepest = max(deepest, stats[i].Tree.Depth)
		slowest = max(slowest, stats[i].Delay)
		lost += stats[i].Ring.Lost
	}
	var draw func(i int, first, rest string)
	draw = func(i int, first, rest string) {
		n, s := nodes[i], stats[i]
		line := fmt.Sprintf("  %-17s %s", first+n.name, n.station.URL(n.channel))
		if i > 0 {
			line += fmt.Sprintf("   %3d ms behind", s.Delay.Milliseconds())
		}
		lines = append(lines, line)
		kids := below[s.Tree.ID]
		for k, j := range kids {
			if k == len(kids)-1 {
				draw(j, rest+"└─ ", rest+"   ")
			} else {
				draw(j, rest+"├─ ", rest+"│  ")
			}
		}
	}
	draw(0, "", "")
	root := stats[0]
	return lines, fmt.Sprintf("%s, %d chunks sent, deepest node %s from the source, slowest %d ms behind it, %d chunks lost; Ctrl-C ends all",
		term.RateText(root.Ring.BitRate), root.Ring.Received, term.Links(deepest), slowest.Milliseconds(), lost)
}
