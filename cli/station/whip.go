package station

import (
	"context"
	"net"
	"net/netip"

	"golang.org/x/sync/errgroup"

	"relay/cli/fault"
	"relay/ingest/whip"
	"relay/playback"
	"relay/relay/refusal"
)

// WHIPPort is the port for encoders that speak WHIP, where none is given.
const WHIPPort = 7149

// whipRequests is how many connections there may be that ask for something: an encoder has one.
const whipRequests = 64

// WHIP is a listener for encoders that speak it. Port.Addr is "" for none.
type WHIP struct {
	Port    Port
	Key     string                                       // the stream key
	Publish func(ctx context.Context) (whip.Sink, error) // as in whip.Endpoint
	Refused func(why error)                              // likewise
}

// whipServer is the station's; nil for none.
type whipServer struct {
	media    *whip.Media
	at       net.Addr
	endpoint whip.Endpoint
	refused  refusal.Counts
}

// openWHIP opens its port, TCP and UDP.
func (s *Station) openWHIP() error {
	p := s.cfg.WHIP.Port
	if p.Addr == "" {
		return nil
	}
	if !whip.Able {
		return fault.Usage("leave --whip out and have the encoder send over RTMP, or install the released program, which has it", "this program was built without WebRTC, and takes no encoders over WHIP")
	}
	ln, err := p.listen(s.t)
	if err != nil {
		return err
	}
	w := &whipServer{at: ln.Addr()}
	var further []netip.Addr
	for _, h := range s.cfg.Advertise {
		if ip, err := netip.ParseAddr(h.Host); err == nil {
			further = append(further, ip)
		}
	}
	w.media, err = whip.Open(whip.Config{Listener: ln, Addresses: further, Stranger: func() { w.refused.Add(whip.RefusedPacket) }, Log: s.log})
	if err != nil {
		ln.Close()
		return fault.Fail("--whip takes another address", "cannot take media on UDP at %s: %w", ln.Addr(), err)
	}
	w.endpoint = whip.Endpoint{Key: s.cfg.WHIP.Key, Media: w.media, Publish: s.cfg.WHIP.Publish, Refused: s.cfg.WHIP.Refused, Refusals: &w.refused, Log: s.log}
	s.whip = w
	return nil
}

// runWHIP serves until ctx ends.
func (s *Station) runWHIP(ctx context.Context, g *errgroup.Group) {
	if s.whip == nil {
		return
	}
	g.Go(func() error { return s.whip.endpoint.Run(ctx) })
	l := playback.Listener{Handler: &s.whip.endpoint, Most: whipRequests, Own: s.Node.Near, Cut: s.whip.refused.Add, Log: s.log}
	g.Go(func() error { return l.Run(ctx, s.whip.media.Listener()) })
}

// close closes the port, if there is one.
func (w *whipServer) close() {
	if w != nil {
		w.media.Listener().Close()
		w.media.Close()
	}
}

// WHIPServer returns the address that encoders publish to over WHIP; "" if there is none.
func (s *Station) WHIPServer() string {
	if s.whip == nil {
		return ""
	}
	a := s.whip.at.(*net.TCPAddr).AddrPort()
	host := a.Addr().Unmap()
	if host.IsUnspecified() {
		host = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return whip.Address(s.whip.at, host.String())
}
