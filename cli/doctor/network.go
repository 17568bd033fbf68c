package doctor

import (
	"fmt"
	"net/netip"

	"relay/cli/term"
	"relay/relay"
	"relay/relay/hostnet"
)

func (m machine) checkNetwork() []Finding {
	f := findings{topic: "Network"}
	reached := false
	for _, i := range m.interfaces {
		var good, own []string
		for _, a := range i.Addrs {
			if a.IsLinkLocalUnicast() {
				own = append(own, a.String())
			} else {
				good = append(good, a.String())
			}
		}
		switch {
		case i.PointToPoint && len(good) > 0:
			f.note("", "%s is a VPN or another line to one place, with %s.", i.Name, term.Spelt(good))
		case len(good) > 0:
			reached = true
			f.fine("%s has %s: others on that network reach this machine there.", i.Name, term.Spelt(good))
		case len(own) > 0 && hasIPv4(i.Addrs):
			f.todo("Check whether the router gives out addresses (DHCP), and the cable or the Wi-Fi password.",
				"%s has been given no address, only %s, which it made up itself.", i.Name, term.Spelt(own))
		}
	}
	if !reached {
		f.todo("Connect a cable or Wi-Fi. Without one, relay demo shows how it works.",
			"This machine is on no network, so nobody else can watch.")
	}
	m.checkWayOut(&f)
	return f.all
}

func (m machine) checkWayOut(f *findings) {
	switch a := m.out4; {
	case !a.IsValid():
		f.note("For viewers elsewhere, the router of this network must be set as default gateway.",
			"There is no way to the IPv4 Internet (no default route); on this network all works without.")
	case hostnet.SharedByCarrier.Contains(a):
		f.note("Viewers elsewhere need IPv6, or a relay at home of somebody whose router can forward (relay source --via).",
			"The provider shares one Internet address among customers (%s is such), so no port can be forwarded to this machine.", a)
	case a.IsPrivate():
		f.note(fmt.Sprintf("A relay that runs asks the router to let others in, and tells here what came of it. By hand: forward port %d, TCP and UDP, to %s, and add --advertise PUBLIC-ADDRESS:%d.", relay.DefaultPort, a, relay.DefaultPort),
			"The way to the Internet is from %s through a router.", a)
	default:
		f.fine("The way to the Internet is from %s, which others can reach unless a firewall keeps them off.", a)
	}
	if a := m.out6; a.IsValid() && a.IsGlobalUnicast() && !a.IsPrivate() {
		f.fine("IPv6 works, from %s.", a)
	} else {
		f.note("", "There is no IPv6 way to the Internet; IPv4 alone will do.")
	}
}

func hasIPv4(addrs []netip.Addr) bool {
	for _, a := range addrs {
		if a.Is4() {
			return true
		}
	}
	return false
}
