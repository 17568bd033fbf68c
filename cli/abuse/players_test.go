package abuse

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/playback"
	"relay/relay/stream"
)

// onAir is a channel of sound, of which one frame has come.
func onAir(t *testing.T) *playback.Channel {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize))
	ring, now := stream.NewRing(stream.Limits{Bytes: 1 << 20}), time.Now()
	w := stream.NewWriter(ring, key, stream.NextEpoch(stream.Epoch{}, now, 1), now)
	var h flv.Header
	config := flv.NewTag(flv.Audio, 0, []byte{0xaf, 0, 0x12, 0x10})
	h.Add(config, flv.Classify(config))
	if err := w.SetHeader(h.Payload()); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteTag(flv.NewTag(flv.Audio, 0, []byte{0xaf, 1, 2, 3}), stream.StartHere|stream.EndsChunk); err != nil {
		t.Fatal(err)
	}
	return playback.NewChannel(stream.IDOf(key), ring, nil)
}

// served has each of run take connections at a port of this machine until the test ends, and returns where.
func served(t *testing.T, run ...func(context.Context, net.Listener)) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, r := range run {
		wg.Go(func() { r(ctx, ln) }) // ends with ctx
	}
	t.Cleanup(func() { cancel(); wg.Wait() })
	at := ln.Addr().(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}
