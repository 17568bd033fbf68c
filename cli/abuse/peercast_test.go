package abuse

import (
	"context"
	"net"
	"net/netip"
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

// TestCrowdsOfPeerCastsAreRefusedAndCounted lays each siege of PeerCast's port for a second, and longer until that is counted,
// while honest ones come.
func TestCrowdsOfPeerCastsAreRefusedAndCounted(t *testing.T) {
	from, err := newSources(netip.Prefix{}, netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	why := map[string]refusal.Reason{
		"100 connections that call back though nobody has asked": pcp.NotHTTP,
		"100 connections that want somebody else's port tried":   pcpout.RefusedPort,
	}
	for _, s := range (&attack{}).sieges() {
		if s.port != hostile.PeerCast {
			continue
		}
		want := why[s.name]
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			server, target := servePeerCast(t)
			a := &attack{target: target, from: from}
			camp, raise := context.WithTimeout(t.Context(), patience)
			defer raise()
			go func() { // ends with camp
				time.Sleep(time.Second)
				for server.Refused()[want] == 0 && camp.Err() == nil { // how soon, depends on how busy the machine is
					time.Sleep(10 * time.Millisecond)
				}
				raise()
			}()
			conns, cut := 0, 0
			came := a.during(t.Context(), hostile.PeerCast, func() { conns, cut = a.lay(camp, s) })
			counted := server.Refused()[want]
			t.Logf("%d came, %d were cut, %d counted; %+v; newcomers %v", conns, cut, counted, a.third, came.waits)
			if counted == 0 || len(came.failed) > 0 { // of each address 5 ports are tried
				t.Errorf("none of %d is counted as %s, but %v; %v did not get in", conns, want, server.Refused(), came.failed)
			}
			if s.aims != nil && (a.third.told == 0 || a.third.dials > 0) {
				t.Errorf("somebody who is named in %d bytes is dialled %d times", a.third.told, a.third.dials)
			}
		})
		delete(why, s.name)
	}
	if len(why) > 0 {
		t.Errorf("there are no such sieges: %v", why)
	}
}

func TestAnHonestPeerCastComesInBesideIt(t *testing.T) {
	_, target := servePeerCast(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := target.comeAsPeerCast(ctx); err != nil {
		t.Error(err)
	}
}
