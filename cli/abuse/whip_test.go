package abuse

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"relay/cli/abuse/hostile"
	"relay/ingest/whip"
	"relay/playback"
	"relay/relay/refusal"
)

// serveWHIP takes encoders that nobody has the key of.
func serveWHIP(t *testing.T) (*refusal.Counts, Target) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := &refusal.Counts{}
	m, err := whip.Open(whip.Config{Listener: ln, Stranger: func() { refused.Add(whip.RefusedPacket) }})
	if err != nil {
		t.Fatal(err)
	}
	e := &whip.Endpoint{Key: "2qp5s7wd4k3xvbne", Media: m, Refusals: refused, Publish: func(context.Context) (whip.Sink, error) {
		t.Error("somebody has the key")
		return nil, whip.ErrBusy
	}}
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = e.Run(ctx) }) // ends with ctx
	l := playback.Listener{Handler: e, Most: 64, Cut: refused.Add, Log: zap.NewNop()}
	tasks.Go(func() { _ = l.Run(ctx, m.Listener()) }) // likewise
	t.Cleanup(func() { cancel(); tasks.Wait(); m.Close() })
	at := ln.Addr().(*net.TCPAddr).AddrPort()
	return refused, Target{WHIP: netip.AddrPortFrom(at.Addr().Unmap(), at.Port())}
}

func TestEveryRefusalOfWHIPIsCountedByItsReason(t *testing.T) {
	serve := func(t *testing.T) (func() map[refusal.Reason]uint64, Target) {
		refused, target := serveWHIP(t)
		return func() map[refusal.Reason]uint64 { return refused.All() }, target
	}
	_, target := serveWHIP(t)
	table := tableOf(t, target.Channel, hostile.WHIP, 1)
	countsByReason(t, table, serve, func(name string) refusal.Reason { return refusal.Reason(table.Why[name]) })
	countsByReason(t, tableOf(t, target.Channel, hostile.WHIPMedia, 1), serve, func(name string) refusal.Reason {
		if name == "nothing" {
			return ""
		}
		return whip.RefusedPacket
	})
}

func TestAnHonestEncoderComesInBesideIt(t *testing.T) {
	_, target := serveWHIP(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := target.comeAsEncoder(ctx); err != nil {
		t.Error(err)
	}
}
