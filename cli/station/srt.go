package station

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"relay/cli/fault"
	"relay/ingest/srt"
	"relay/playback"
	"relay/relay"
	"relay/relay/hostnet"
)

// SRT is what a station does over SRT. Its zero value is nothing.
type SRT struct {
	Port    Port   // Addr is "" for nothing
	Key     string // of the encoder, which is the passphrase
	Publish func(context.Context) (srt.Sink, error)
	Refused func(error) // is told of encoders and players that are not taken; nil for nobody
}

// errLongKey says what a stream key must be like to be a passphrase of SRT in an address.
var errLongKey = errors.New("the stream key is SRT's passphrase, and has 10 to 79 letters, digits, and . _ ~ - for that")

// openSRT opens the port.
func (s *Station) openSRT() (err error) {
	c := &s.cfg.SRT
	switch {
	case c.Port.Addr == "":
		return nil
	case !srt.Available:
		return fault.Usage("leave --srt out, or take the program as it is released", "--srt: %w", srt.ErrLean)
	case c.Publish != nil && !srt.PlainKey(c.Key):
		return fault.Usage("--key gives another one; without it, relay makes one that is long enough", "--srt: %w", errLongKey)
	}
	s.srt, err = c.Port.listenPacket()
	return err
}

// runSRT serves encoders and players, if that is wanted.
func (s *Station) runSRT(ctx context.Context, g *errgroup.Group) {
	if s.srt == nil {
		return
	}
	c := s.cfg.SRT
	srv := &srt.Server{
		Socket: s.srt, Key: c.Key, Publish: c.Publish, Play: s.playOverSRT, Refused: c.Refused, Refusals: &s.srtRefused, Own: s.Node.Near, Log: s.log,
	}
	g.Go(func() error { return srv.Run(ctx) })
}

// playOverSRT lets a player at from watch one of the station's channels, in the MPEG-TS of .ts. No
// passphrase is asked for: whoever may watch over HTTP may do so here.
func (s *Station) playOverSRT(from net.Addr, name string) (srt.Viewing, error) {
	if all := s.shown(); len(all) == 1 {
		if channel, wishes, _ := strings.Cut(name, "?"); channel == "" {
			name = all[0].ID().Short() + "?" + wishes
		}
	}
	a, err := s.players.Direct(from, name, playback.TS)
	if errors.Is(err, playback.ErrNoChannel) {
		return nil, srt.ErrNoStream
	} else if err != nil {
		return nil, err
	}
	return a, nil
}

// srtAt returns the port's address as others on this network have it.
func (s *Station) srtAt() netip.AddrPort {
	a := s.srt.LocalAddr().(*net.UDPAddr).AddrPort()
	ip := a.Addr().Unmap()
	if ip.IsUnspecified() {
		if near, ok := hostnet.NearAddr(); ok {
			ip = near
		} else {
			ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
	}
	return netip.AddrPortFrom(ip, a.Port())
}

// SRTServer returns the address that encoders send to over SRT, to be pasted as it is; "" if there is none.
func (s *Station) SRTServer() string {
	if s.srt == nil || s.cfg.SRT.Publish == nil {
		return ""
	}
	return "srt://" + s.srtAt().String() + "?mode=caller&latency=200000&passphrase=" + s.cfg.SRT.Key + "&pbkeylen=16"
}

// tellSRT says where players have a channel over SRT. A source tells the encoder's address, which is of the same port.
func (s *Station) tellSRT(c *relay.Channel) {
	if s.srt != nil && s.cfg.SRT.Publish == nil {
		s.t.Say("SRT     %s", "srt://"+s.srtAt().String()+"?streamid=read:"+c.ID().Short())
	}
}

// srtURL returns the SRT address of the station's channels, as [Station.rtspURL] does for RTSP.
func (s *Station) srtURL(host string) string {
	if s.srt == nil {
		return ""
	}
	return urlAt("srt", s.srt.LocalAddr().(*net.UDPAddr).AddrPort(), host)
}

// SRTExposed returns the UDP port for encoders if it is open to other machines; "" if not.
func (s *Station) SRTExposed() string {
	if s.srt == nil {
		return ""
	}
	a := s.srt.LocalAddr().(*net.UDPAddr)
	if a.IP.IsLoopback() {
		return ""
	}
	return strconv.Itoa(a.Port)
}
