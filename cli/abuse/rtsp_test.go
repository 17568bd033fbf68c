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

	"relay/cli/abuse/hostile"
	"relay/ingest/flv"
	"relay/playback"
	"relay/playback/rtspout"
	"relay/relay/refusal"
	"relay/relay/stream"
)

// serveRTSP serves a channel of sound to players over RTSP alone.
func serveRTSP(t *testing.T) (*rtspout.Server, Target) {
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
	shown := []*playback.Channel{playback.NewChannel(stream.IDOf(key), ring, nil)}
	s := rtspout.New(rtspout.Config{Players: playback.NewServer(playback.Config{Channels: func() []*playback.Channel { return shown }})})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Run(ctx, ln) }) // ends with ctx
	t.Cleanup(func() { cancel(); wg.Wait() })
	at := ln.Addr().(*net.TCPAddr).AddrPort()
	return s, Target{Channel: stream.IDOf(key), RTSP: netip.AddrPortFrom(at.Addr().Unmap(), at.Port())}
}

func TestEveryRefusalOfRTSPIsCountedByItsReason(t *testing.T) {
	_, target := serveRTSP(t)
	table := tableOf(t, target.Channel, hostile.RTSP, 50)
	serve := func(t *testing.T) (func() map[refusal.Reason]uint64, Target) {
		s, target := serveRTSP(t)
		return s.Refused, target
	}
	countsByReason(t, table, serve, func(name string) refusal.Reason { return refusal.Reason(table.Why[name]) })
}

func TestAnHonestPlayerOverRTSPComesInBesideIt(t *testing.T) {
	_, target := serveRTSP(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := target.comeOverRTSP(ctx); err != nil {
		t.Error(err)
	}
}
