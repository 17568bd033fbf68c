package station

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"relay/cli/words"
	"relay/directory"
	"relay/ingest/flv"
	"relay/relay"
	"relay/relay/hostnet"
)

// peercastGateway is where PeerCast programs get the channel, at the address that the node tells first; zero for nowhere.
func (s *Station) peercastGateway() (at netip.AddrPort) {
	if own := placesToTell(s.Node.Addrs()); s.peercast != nil && len(own) > 0 {
		if at = own[0]; s.peercastAt != nil {
			at = netip.AddrPortFrom(at.Addr(), s.peercastAt.Addr().(*net.TCPAddr).AddrPort().Port())
		}
	}
	return at
}

// nameTime bounds the look-up of a helper's name.
const nameTime = 2 * time.Second

// Announcement is what directories may tell everybody of a channel now: says, and what this node knows.
func (s *Station) Announcement(ctx context.Context, c *relay.Channel, live bool, says directory.Announcement) directory.Announcement {
	a := says
	st, ok := c.Status()
	if !ok {
		return directory.Announcement{}
	}
	a.Live, a.Listeners, a.BitRate, a.Title = live, st.Watching, 0, s.cfg.Title
	if live {
		a.BitRate = st.Ring.BitRate
	}
	if h := c.Ring().Header(); h != nil {
		info := flv.Describe(h.Payload())
		a.Codecs = words.Codecs(info)
		if info.Title != "" {
			a.Title = info.Title
		}
	}
	a.Places, a.PeerCast = placesToTell(s.placesOf(ctx)), s.peercastGateway()
	return a
}

// placesOf is where others reach the channel: its helper's addresses, and then the node's own.
func (s *Station) placesOf(ctx context.Context) (all []netip.AddrPort) {
	for _, h := range s.cfg.Via {
		if ip, err := netip.ParseAddr(h.Host); err == nil {
			all = append(all, netip.AddrPortFrom(ip.Unmap(), h.Port))
			continue
		}
		looking, cancel := context.WithTimeout(ctx, nameTime)
		ips, _ := net.DefaultResolver.LookupNetIP(looking, "ip", strings.TrimSuffix(h.Host, ".")) // then without it
		cancel()
		for _, ip := range ips {
			all = append(all, netip.AddrPortFrom(ip.Unmap(), h.Port))
		}
	}
	return append(all, s.Node.Addrs()...)
}

// placesToTell are those that a stranger may be told: of the Internet, or where there are none, of this network. So a list
// on the Internet does not hear of addresses at home.
func placesToTell(all []netip.AddrPort) (told []netip.AddrPort) {
	for _, a := range all {
		if a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port()); a.Addr().Zone() == "" && !slices.Contains(told, a) && a.Port() != 0 {
			told = append(told, a)
		}
	}
	inside := func(a netip.AddrPort) bool { _, is := hostnet.Inside(a.Addr()); return is }
	if slices.ContainsFunc(told, func(a netip.AddrPort) bool { return !inside(a) }) {
		told = slices.DeleteFunc(told, inside)
	}
	return told[:min(len(told), directory.MaxPlaces)]
}
