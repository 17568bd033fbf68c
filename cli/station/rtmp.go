package station

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"relay/ingest/rtmp"
	"relay/playback"
	"relay/relay"
)

// RTMPApp is the path under which encoders publish and channels are played.
const RTMPApp = "live"

// PlayOverRTMP lets a player at from watch one of the station's channels, as
// rtmp://HOST/live/CHANNEL or rtmp://HOST/CHANNEL. No key is asked for: whoever may
// watch over HTTP may do so here.
func (s *Station) PlayOverRTMP(from net.Addr, app, name string) (rtmp.Viewing, error) {
	if app != RTMPApp && app != "" {
		return nil, noStream("There is nothing under that address: it ends in /" + RTMPApp + "/CHANNEL.")
	}
	v, err := s.players.Direct(from, name, rtmpForm)
	switch {
	case errors.Is(err, playback.ErrNoChannel):
		return nil, noStream(err.Error())
	case err != nil:
		return nil, err
	}
	return v, nil
}

// PlayRTMP serves players, and no encoders, on the station's RTMP listener until ctx ends.
func (s *Station) PlayRTMP(ctx context.Context) error {
	srv := &rtmp.Server{Listener: s.RTMP, Play: s.PlayOverRTMP, Refusals: &s.RTMPRefused, Own: s.Node.Near, Log: s.log}
	return srv.Run(ctx)
}

// rtmpForm is what players over RTMP get.
var rtmpForm = playback.Form{Name: "rtmp", New: func() playback.Container { return rtmp.NewContainer() }}

// noStream tells a player that there is no such stream.
type noStream string

func (n noStream) Error() string        { return string(n) }
func (n noStream) Is(target error) bool { return target == rtmp.ErrNoStream }

// rtmpAt returns the RTMP address of the station's channels for a client that reached this machine
// under host, with or without a port. It returns "" if the listener is not open to that client.
func (s *Station) rtmpAt(host string) string {
	if s.RTMP == nil {
		return ""
	}
	if at := urlAt("rtmp", addrOf(s.RTMP), host); at != "" {
		return at + "/" + RTMPApp
	}
	return ""
}

// RTMPURL returns the address at which a player on this machine plays the channel over RTMP,
// "" if the station has no RTMP listener.
func (s *Station) RTMPURL(c *relay.Channel) string {
	if s.RTMP == nil {
		return ""
	}
	return "rtmp://" + LocalAddr(s.RTMP) + "/" + RTMPApp + "/" + c.ID().Short()
}

// RTMPServer returns the RTMP address that encoders publish to and players read from.
func (s *Station) RTMPServer() string { return "rtmp://" + LocalAddr(s.RTMP) + "/" + RTMPApp }

// hostOf is a host without its port.
func hostOf(host string) string {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	return name
}

// rtspURL returns the RTSP address of the station's channels for a client that reached this machine under host; "" if the
// listener is not open to that client.
func (s *Station) rtspURL(host string) string {
	if s.rtspAt == nil {
		return ""
	}
	return urlAt("rtsp", addrOf(s.rtspAt), host)
}

// tellRTSP says how players open a channel over RTSP.
func (s *Station) tellRTSP(c *relay.Channel) {
	if s.rtspAt != nil {
		s.t.Say("RTSP    rtsp://%s/%s (in VRChat rtspt://, which is the same)", LocalAddr(s.rtspAt), c.ID().Short())
	}
}

func addrOf(ln net.Listener) netip.AddrPort { return ln.Addr().(*net.TCPAddr).AddrPort() }

// urlAt returns the address of a port that is open at a, for a client that reached this machine under host, with or without
// a port. It returns "" if it is not open to that client.
func urlAt(scheme string, a netip.AddrPort, host string) string {
	name := hostOf(host)
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
	return scheme + "://" + net.JoinHostPort(name, strconv.Itoa(int(a.Port())))
}
