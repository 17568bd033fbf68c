package abuse

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"

	"relay/cli/ask"
	"relay/cli/fault"
	"relay/ingest/rtmp"
	"relay/playback"
	"relay/playback/admin"
	"relay/relay"
)

// Aim returns the node that a person means: by a link, or by its page. Its other ports are taken to be
// the usual ones; the metrics are, if it is this machine. Without a text it is the relay that runs here.
func Aim(ctx context.Context, text string) (Target, error) {
	here := text == ""
	if here {
		text = "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(playback.DefaultPort))
	}
	inv, err := ask.Invite(ctx, text, nil)
	if f, ok := errors.AsType[*fault.Error](err); ok && here && f.Code == fault.ExitNobody {
		return Target{}, &fault.Error{Err: f.Err, Hint: "start a node to attack, as in relay source FILE --loop, or give its link: relay abuse LINK", Code: f.Code}
	}
	if err != nil {
		return Target{}, err
	}
	if inv.Access.Private() {
		return Target{}, fault.Usage("give it a source without --private", "the channel is private, and the attack is made for public ones")
	}
	at, err := resolve(ctx, inv.Hosts[0])
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

// At returns one of a target's addresses, by a host and a port. It may be of a group, for queries.
func At(ctx context.Context, text string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddrPort(text); err == nil && a.Addr().IsMulticast() {
		return a, nil
	}
	h, err := relay.ParseHostPort(text)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return resolve(ctx, h)
}
