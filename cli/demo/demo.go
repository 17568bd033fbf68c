// Package demo broadcasts a bundled clip through a source and six relays, all in one process,
// over real links on the loopback address.
package demo

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"relay/cli/lan"
	"relay/cli/station"
	"relay/cli/term"
	"relay/cli/words"
	"relay/ingest"
	"relay/playback"
	"relay/relay"
	"relay/relay/stream"
)

const (
	relays = 6
	slots  = 2 // so that six relays stand two deep
	// reportEvery is how often the figures are printed when stderr is no terminal.
	reportEvery = 10 * time.Second
)

// node is one node of the demo.
type node struct {
	name    string
	station *station.Station
	channel *relay.Channel
}

// Run broadcasts, and draws the tree, until ctx ends. version is the version that the nodes tell.
func Run(ctx context.Context, t *term.Terminal, version string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	var nodes []node
	for i := range relays + 1 {
		st, err := open(t, i, version)
		if err != nil {
			return err
		}
		defer st.Close()
		n := node{name: fmt.Sprintf("relay %d", i), station: st}
		if i == 0 {
			n.name = "source"
			n.channel, err = broadcast(ctx, g, st.Node)
		} else {
			n.channel, err = st.Node.Watch(nodes[0].station.Invite(nodes[0].channel), nil)
		}
		if err != nil {
			return err
		}
		st.Show(n.channel, nil)
		st.Run(ctx, g)
		g.Go(func() error { return n.channel.Run(ctx) })
		nodes = append(nodes, n)
	}
	t.Say("A clip goes from a source through six relays. Open any address in VLC or mpv, or without its last part in a browser:")
	t.Say("")
	g.Go(func() error { show(ctx, t, nodes); return nil })
	return g.Wait()
}

// broadcast opens a channel at the node, and plays the clip in it again and again until ctx ends.
func broadcast(ctx context.Context, g *errgroup.Group, n *relay.Node) (*relay.Channel, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	ch, w, err := n.Source(key, stream.NextEpoch(stream.Epoch{}, time.Now(), 0))
	if err != nil {
		return nil, err
	}
	file := &ingest.File{From: bytes.NewReader(clip), Path: "the bundled clip", Loop: true, Open: ingest.NewInput(w, nil).Open}
	g.Go(func() error {
		if err := file.Run(ctx); ctx.Err() == nil {
			return err
		}
		return nil // a write to a channel that closes is no error of the clip
	})
	return ch, nil
}

// open opens a station that listens on loopback addresses alone, since it is watched here.
func open(t *term.Terminal, i int, version string) (*station.Station, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	return station.Open(t, words.NewLog(t, false), station.Config{
		Key: key, Version: version,
		Listen:    station.Port{What: "links", Flag: "listen", Addr: "127.0.0.1:0"},
		HTTP:      station.Port{What: "players", Flag: "http", Addr: fmt.Sprintf("127.0.0.1:%d", playback.DefaultPort+i), Quiet: true},
		Slots:     slots,
		Discovery: lan.Config{Off: true},
	})
}

// show draws the tree. A terminal gets it redrawn every second; anything else gets the whole
// tree once, and then a line of figures every reportEvery.
func show(ctx context.Context, t *term.Terminal, nodes []node) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	drawn := time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			lines, sum := draw(nodes)
			if t.ErrTTY {
				t.Show(strings.Join(append(append(lines, ""), t.Style().Fold(t.Lang.In(sum))...), "\n"))
				continue
			}
			switch {
			case drawn.IsZero() && len(lines) == len(nodes):
				t.Print(append(lines, "")...)
				fallthrough
			case !drawn.IsZero() && now.Sub(drawn) >= reportEvery:
				t.Say("%s", sum)
				drawn = now
			}
		}
	}
}
