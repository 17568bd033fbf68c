package cli

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/ingest/rtmp"
	"relay/playback"
	"relay/relay"
)

// playOverRTMP lets a player at from watch one of the station's channels, as
// rtmp://HOST/live/CHANNEL or rtmp://HOST/CHANNEL. No key is asked for: whoever may
// watch over HTTP may do so here.
func (s *station) playOverRTMP(from net.Addr, app, name string) (rtmp.Viewing, error) {
	if app != rtmpApp && app != "" {
		return nil, noStream("There is nothing under that address: it ends in /" + rtmpApp + "/CHANNEL.")
	}
	v, err := s.players.Direct(from, name)
	switch {
	case errors.Is(err, playback.ErrNoChannel):
		return nil, noStream(err.Error())
	case err != nil:
		return nil, err
	}
	return v, nil
}

// noStream is what a player is told that asks for what is not there.
type noStream string

func (n noStream) Error() string        { return string(n) }
func (n noStream) Is(target error) bool { return target == rtmp.ErrNoStream }

// playOverRTMP is the station's, which runs before the encoder's server does.
func (s *source) playOverRTMP(from net.Addr, app, name string) (rtmp.Viewing, error) {
	return s.station.playOverRTMP(from, app, name)
}

// rtmpFlag reads the flag of a command that plays over RTMP and takes no encoder; nil
// stands for none.
func rtmpFlag(c *cli.Context, t *term.Terminal) (net.Listener, error) {
	if !c.IsSet("rtmp") {
		return nil, nil
	}
	p, err := listener(c, "players over RTMP", "rtmp", "127.0.0.1", rtmp.DefaultPort)
	if err != nil {
		return nil, err
	}
	ln, err := p.listen(t)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Code == fault.ExitPort {
		f.Hint = "give another port; 0 is any that is free"
	}
	return ln, err
}

// rtmpAt is where the station's channels are played over RTMP, for who knows this
// machine as host, with or without a port; "" if who does so cannot reach it.
func (s *station) rtmpAt(host string) string {
	if s.rtmp == nil {
		return ""
	}
	a := s.rtmp.Addr().(*net.TCPAddr).AddrPort()
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	switch ip := a.Addr().Unmap(); {
	case ip.IsUnspecified():
	case ip.IsLoopback():
		if asked, err := netip.ParseAddr(name); name != "localhost" && (err != nil || !asked.IsLoopback()) {
			return ""
		}
		name = ip.String()
	default:
		name = ip.String()
	}
	return "rtmp://" + net.JoinHostPort(name, strconv.Itoa(int(a.Port()))) + "/" + rtmpApp
}

// rtmpURL is where a player on this machine finds the channel at an RTMP listener.
func rtmpURL(ln net.Listener, c *relay.Channel) string {
	return "rtmp://" + localAddr(ln) + "/" + rtmpApp + "/" + c.ID().Short()
}

// runRTMP plays the station's channels over RTMP until ctx ends.
func (w *watch) runRTMP(ctx context.Context, g *errgroup.Group) {
	srv := &rtmp.Server{Listener: w.rtmp, Play: w.station.playOverRTMP, Log: w.log}
	g.Go(func() error { return srv.Run(ctx) })
	w.t.Say("RTMP    %s", rtmpURL(w.rtmp, w.channel))
}
