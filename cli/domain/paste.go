package domain

import (
	"net/netip"
	"slices"

	"relay/relay"
	"relay/relay/hostnet"
)

// ToPaste returns what makes a domain name a channel: a line for its zone, the same as a line of its file, and the
// channel's link with the domain in it. Of its addresses those come first that mean something everywhere. inside
// says that there is none such.
func ToPaste(n Name, inv relay.Invite, title string) (lines []string, inside bool) {
	r := Record{Channel: inv.Channel, Title: title}
	public := func(h relay.HostPort) bool {
		ip, err := netip.ParseAddr(h.Host)
		return err != nil || hostnet.Public(ip)
	}
	for _, h := range inv.Hosts {
		if _, ok := h.Domain(); !ok {
			r.At = append(r.At, h)
		}
	}
	if inside = !slices.ContainsFunc(r.At, public); !inside {
		r.At = slices.DeleteFunc(r.At, func(h relay.HostPort) bool { return !public(h) })
	}
	line := r.String()
	link := relay.Invite{Channel: inv.Channel, Hosts: []relay.HostPort{relay.AskedOf(string(n))}, Access: inv.Access}
	return []string{ZoneLine(n, line), line, link.With(r.At...).Link()}, inside
}
