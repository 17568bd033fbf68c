package station

import (
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

// rtmpAt is where the station's channels are played over RTMP, for who knows this
// machine as host, with or without a port; "" if who does so cannot reach it.
func (s *Station) rtmpAt(host string) string {
	if s.RTMP == nil {
		return ""
	}
	a := s.RTMP.Addr().(*net.TCPAddr).AddrPort()
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
	return "rtmp://" + net.JoinHostPort(name, strconv.Itoa(int(a.Port()))) + "/" + RTMPApp
}

// RTMPURL is where a player on this machine finds the channel over RTMP, "" if it does not.
func (s *Station) RTMPURL(c *relay.Channel) string {
	if s.RTMP == nil {
		return ""
	}
	return "rtmp://" + LocalAddr(s.RTMP) + "/" + RTMPApp + "/" + c.ID().Short()
}

// RTMPServer is the RTMP address of the station, which encoders publish to and players ask.
func (s *Station) RTMPServer() string { return "rtmp://" + LocalAddr(s.RTMP) + "/" + RTMPApp }
