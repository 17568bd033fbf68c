package abuse

import (
	"context"
	"net"
	"testing"
	"time"

	"relay/cli/abuse/hostile"
	"relay/playback"
	"relay/playback/rtspout"
	"relay/relay/refusal"
)

// serveRTSP serves a channel of sound to players over RTSP alone.
func serveRTSP(t *testing.T) (*rtspout.Server, Target) {
	t.Helper()
	ch := onAir(t)
	s := rtspout.New(rtspout.Config{Players: playback.NewServer(playback.Config{Channels: func() []*playback.Channel { return []*playback.Channel{ch} }})})
	at := served(t, func(ctx context.Context, ln net.Listener) { _ = s.Run(ctx, ln) })
	return s, Target{Channel: ch.ID(), RTSP: at}
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
