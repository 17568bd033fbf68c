package abuse

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"relay/cli/abuse/hostile"
	"relay/playback/api"
	"relay/playback/tv"
	"relay/relay/stream"
)

// TestEveryInputOfTVsHolds tries each at a server of its own, at once.
func TestEveryInputOfTVsHolds(t *testing.T) {
	ifs, _ := net.Interfaces()
	lo := ""
	for _, i := range ifs {
		if i.Flags&net.FlagLoopback != 0 {
			lo = i.Name
		}
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, p := range []hostile.Port{hostile.TV, hostile.SSDP} {
		for i, in := range inputsOf(stream.ChannelID{}, p) {
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
			ctx, cancel := context.WithCancel(t.Context())
			wg.Go(func() { _ = s.Run(ctx, ln) }) // ends with ctx
			a := &attack{target: Target{TV: ln.Addr().(*net.TCPAddr).AddrPort(), SSDP: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)}}
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
