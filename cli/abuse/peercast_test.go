package abuse

import (
	"context"
	"net"
	"testing"
	"time"

	"relay/cli/abuse/hostile"
	"relay/playback"
	"relay/playback/pcpout"
	"relay/relay/pcp"
	"relay/relay/refusal"
)

// servePeerCast serves a channel to PeerCast alone.
func servePeerCast(t *testing.T) (*pcpout.Server, Target) {
	t.Helper()
	ch := onAir(t)
	channels := func() []*playback.Channel { return []*playback.Channel{ch} }
	s := pcpout.New(pcpout.Config{Players: playback.NewServer(playback.Config{Channels: channels}), Channels: channels, Session: pcp.NewID(), Agent: "relay", HeloTime: 2 * time.Second})
	at := served(t, func(ctx context.Context, _ net.Listener) { s.Run(ctx) }, func(ctx context.Context, ln net.Listener) { _ = s.Serve(ctx, ln) })
	return s, Target{Channel: ch.ID(), PeerCast: at}
}

func TestEveryRefusalOfPeerCastIsCountedByItsReason(t *testing.T) {
	_, target := servePeerCast(t)
	table := tableOf(t, target.Channel, hostile.PeerCast, 60)
	serve := func(t *testing.T) (func() map[refusal.Reason]uint64, Target) {
		s, target := servePeerCast(t)
		return s.Refused, target
	}
	countsByReason(t, table, serve, func(name string) refusal.Reason { return refusal.Reason(table.Why[name]) })
}

func TestAnHonestPeerCastComesInBesideIt(t *testing.T) {
	_, target := servePeerCast(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := target.comeAsPeerCast(ctx); err != nil {
		t.Error(err)
	}
}
