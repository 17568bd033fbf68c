package abuse

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"relay/cli/abuse/hostile"
	"relay/playback/api"
	"relay/playback/tv"
	"relay/relay/stream"
)

// tvHere is a server for TVs of this machine, which is still to run.
func tvHere(t *testing.T) (*tv.Server, net.Listener, Target) {
	t.Helper()
	ifs, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	lo := ifs[slices.IndexFunc(ifs, func(i net.Interface) bool { return i.Flags&net.FlagLoopback != 0 })].Name
	probe, err := net.ListenPacket("udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	port := probe.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	probe.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := tv.New(tv.Config{
		Node: "n", Channels: func() []api.Channel { return nil }, Near: func(a netip.Addr) bool { return a.IsLoopback() },
		SSDPPort: port, Interfaces: []string{lo},
	})
	return s, ln, Target{TV: ln.Addr().(*net.TCPAddr).AddrPort(), SSDP: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)}
}

// TestEveryInputOfTVsHolds tries each at a server of its own, at once.
func TestEveryInputOfTVsHolds(t *testing.T) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, p := range []hostile.Port{hostile.TV, hostile.SSDP} {
		for i, in := range inputsOf(stream.ChannelID{}, p) {
			s, ln, target := tvHere(t)
			ctx, cancel := context.WithCancel(t.Context())
			wg.Go(func() { _ = s.Run(ctx, ln) }) // ends with ctx
			a := &attack{target: target}
			wg.Go(func() { // ends with the input
				defer cancel()
				if p == hostile.SSDP {
					if err := a.come(ctx, p); err != nil { // until it listens
						t.Error(err)
					}
				}
				before := s.Refused()
				o := a.try(ctx, p, in, i)
				for again := 0; p == hostile.SSDP && in.Want == hostile.Answered && len(o.answer) == 0 && again < 10; again++ {
					o = a.try(ctx, p, in, i) // a busy machine takes longer to answer
				}
				if w := o.wrong(); w != "" {
					t.Errorf("%s: %s %s", p, in.Name, w)
				}
				counted := false
				for why, n := range s.Refused() {
					counted = counted || n > before[why]
				}
				if is := strings.HasPrefix(in.Says, "HTTP/1.1 4") && in.Says != "HTTP/1.1 404"; is && !counted {
					t.Errorf("%s: %s is not counted", p, in.Name)
				}
			})
		}
	}
}

// TestAFloodOfSearchesIsNoWeapon has many addresses ask all they can, while somebody honest asks, too.
func TestAFloodOfSearchesIsNoWeapon(t *testing.T) {
	s, ln, target := tvHere(t)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { _ = s.Run(ctx, ln) }) // ends with ctx
	from, err := newSources(netip.Prefix{}, netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	a := &attack{target: target, from: from}
	if err := a.come(ctx, hostile.SSDP); err != nil { // until it listens
		t.Fatal(err)
	}
	camp, raise := context.WithTimeout(ctx, time.Second)
	defer raise()
	began, sent := time.Now(), 0
	came := a.during(ctx, hostile.SSDP, func() { sent = searches(camp, a) })
	took := time.Since(began)
	t.Logf("%d searches in %v: %d answers, %v", sent, took, a.third.answers, came.waits)
	// As playback/design.md says.
	each, together := 20*(20+2*took.Seconds()), 500+100*took.Seconds()
	if n := float64(a.third.answers); n == 0 || n > min(each, together) {
		t.Errorf("%d answers, at most %.0f are right", a.third.answers, min(each, together))
	}
	if a.third.got > a.third.told || len(came.failed) > 0 || s.Refused()["too_often"]+s.Refused()["flood"] == 0 {
		t.Errorf("%d bytes for %d; %v did not get in; %v are refused", a.third.got, a.third.told, came.failed, s.Refused())
	}
}
