package listing

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"relay/cli/station"
	"relay/cli/words"
	"relay/ingest/flv"
	"relay/playback/directory"
	"relay/relay"
	"relay/relay/hostnet"
)

// gateway is where PeerCast programs get the channel, at the address that the node tells first; zero for nowhere.
func gateway(own []netip.AddrPort, p station.PeerCastPort) netip.AddrPort {
	own = placesToTell(own)
	switch {
	case !p.Open || len(own) == 0:
		return netip.AddrPort{}
	case p.Own == 0: // that for links, which a router may have opened under another number
		return own[0]
	}
	return netip.AddrPortFrom(own[0].Addr(), p.Own)
}

// nameTime bounds the look-up of a helper's name.
const nameTime = 2 * time.Second

// Announcement is what directories may tell everybody of a channel now: says, for what that leaves out
// the stream, and what this node knows.
func Announcement(ctx context.Context, s *station.Station, c *relay.Channel, live bool, says directory.Announcement) directory.Announcement {
	a, o := says, s.Outward()
	st, ok := c.Status()
	if !ok {
		return directory.Announcement{}
	}
	a.Live, a.Listeners, a.BitRate, a.Title = live, st.Watching, 0, o.Title
	if live {
		a.BitRate = st.Ring.BitRate
	}
	if h := c.Ring().Header(); h != nil {
		take(&a, h.Payload())
	}
	own := s.Node.Addrs()
	a.Places, a.PeerCast = placesToTell(append(addrsOf(ctx, o.Via), own...)), gateway(own, o.PeerCast)
	return a
}

// take takes what the stream's header says, and leaves texts that are there.
func take(a *directory.Announcement, header []byte) {
	info := flv.Describe(header)
	a.Codecs, a.Title = words.Codecs(info), cmp.Or(info.Title, a.Title)
	t := flv.Texts{Genre: a.Genre, Description: a.Description, Comment: a.Comment, Contact: a.URL}
	t.FillIn(header)
	a.Genre, a.Description, a.Comment, a.URL = t.Genre, t.Description, t.Comment, t.Contact
}

// addrsOf looks hosts up.
func addrsOf(ctx context.Context, hosts []relay.HostPort) (all []netip.AddrPort) {
	for _, h := range hosts {
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
	return all
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
