// Package playtest plays the demo's clip on a players' listener, for tests of what is beside it.
package playtest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"relay/ingest"
	"relay/playback"
	"relay/relay/stream"
)

// Live broadcasts a clip (H.264 and AAC), again and again until the test ends, and returns where it plays on loopback. c's
// Channels is filled in.
func Live(t *testing.T, clip, title string, c playback.Config) (at netip.AddrPort, ch *playback.Channel) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	ring := stream.NewRing(stream.Limits{})
	in := ingest.NewInput(stream.NewWriter(ring, key, stream.NextEpoch(stream.Epoch{}, time.Now(), 1), time.Now()), nil)
	in.SetTitle(title)
	ch = playback.NewChannel(stream.IDOf(key), ring, nil)
	c.Channels = func() []*playback.Channel { return []*playback.Channel{ch} }
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := playback.NewServer(c).Run(ctx, ln); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		f := ingest.File{Path: clip, Loop: true, Open: in.Open}
		if err := f.Run(ctx); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return ln.Addr().(*net.TCPAddr).AddrPort(), ch
}
