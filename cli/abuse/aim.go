package abuse

import (
	"context"
	"net"
	"net/netip"
	"strconv"

	"relay/cli/ask"
	"relay/ingest/rtmp"
	"relay/playback"
	"relay/playback/admin"
	"relay/relay"
)

// Aim returns the node that a person means: by a link, or by its page. Its other ports are taken to be
// the usual ones; the metrics are, if it is this machine. Without a text it is the relay that runs here.
func Aim(ctx context.Context, text string) (Target, error) {
	if text == "" {
		text = "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(playback.DefaultPort))
	}
	inv, err := ask.Invite(ctx, text)
	if err != nil {
		return Target{}, err
	}
	at, err := Resolve(ctx, inv.Hosts[0])
	if err != nil {
		return Target{}, err
	}
	t := Target{
		Channel: inv.Channel, Links: at,
		HTTP: netip.AddrPortFrom(at.Addr(), playback.DefaultPort),
		RTMP: netip.AddrPortFrom(at.Addr(), rtmp.DefaultPort),
	}
	if at.Addr().IsLoopback() {
		t.Admin = netip.AddrPortFrom(at.Addr(), admin.DefaultPort)
	}
	return t, nil
}

// At sets one of a target's addresses from a host and a port.
func At(ctx context.Context, of *netip.AddrPort, text string) error {
	h, err := relay.ParseHostPort(text)
	if err != nil {
		return err
	}
	*of, err = Resolve(ctx, h)
	return err
}
