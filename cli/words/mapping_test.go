package words

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"relay/relay"
	"relay/relay/portmap"
	"relay/tree"
)

var mappedSince = time.Unix(1000, 0)

func mapping(external string, udp uint16, why portmap.Reason) portmap.Mapping {
	return portmap.Mapping{
		Protocol: portmap.UPnP, Gateway: netip.MustParseAddr("192.168.1.1"), Internal: netip.MustParseAddrPort("192.168.1.5:7144"),
		External: netip.MustParseAddrPort(external), UDP: udp, Lease: time.Hour, Since: mappedSince, Reason: why,
	}
}

func failed(why portmap.Reason) portmap.State {
	return portmap.State{Failures: []portmap.Failure{{
		Protocol: portmap.PCP, Gateway: netip.MustParseAddr("192.168.1.1"), Internal: netip.MustParseAddrPort("192.168.1.5:7144"), Reason: why,
	}}}
}

func opened(ms ...portmap.Mapping) portmap.State { return portmap.State{Mappings: ms} }

func TestWhatTheRouterDidIsSaidInASentence(t *testing.T) {
	good := mapping("203.0.113.7:7144", 7144, portmap.None)
	six := mapping("[2001:db8::5]:7144", 7144, portmap.None)
	trial := func(r tree.Reach, at string, after time.Duration) relay.Trial {
		return relay.Trial{Reach: r, Addr: netip.MustParseAddrPort(at), At: mappedSince.Add(after)}
	}
	seen := func(a string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(a)} }
	const at = "The router at 192.168.1.1 "
	for name, c := range map[string]struct {
		of         Mapped
		text, next string // what they begin with; "" for none
		open       bool
	}{
		"no router":       {Mapped{}, "", "", false},
		"searching":       {Mapped{State: portmap.State{Searching: true}}, "The router is being asked", "", false},
		"open":            {Mapped{State: opened(good)}, at + "has opened 203.0.113.7:7144 by UPnP, for TCP and UDP, for 1h00m at a time; nobody has tried it yet.", "", true},
		"seen there":      {Mapped{State: opened(good), Seen: seen("203.0.113.7")}, at + "has opened 203.0.113.7:7144", "", true},
		"dialled":         {Mapped{State: opened(good), Trial: trial(tree.Open, "203.0.113.7:7144", time.Minute)}, at + "has opened 203.0.113.7:7144 by UPnP, for TCP and UDP, for 1h00m at a time; another node got through.", "", true},
		"came in":         {Mapped{State: opened(good), Came: true}, at + "has opened 203.0.113.7:7144 by UPnP, for TCP and UDP, for 1h00m at a time; somebody came in", "", true},
		"a lie":           {Mapped{State: opened(good), Trial: trial(tree.Closed, "203.0.113.7:7144", time.Minute)}, at + "has opened 203.0.113.7:7144 by UPnP, for TCP and UDP, for 1h00m at a time; but another node did not", "Have the firewall of this machine let in port 7144", true},
		"tried before":    {Mapped{State: opened(good), Trial: trial(tree.Closed, "203.0.113.7:7144", time.Second)}, at + "has opened 203.0.113.7:7144 by UPnP, for TCP and UDP, for 1h00m at a time; nobody", "", true},
		"tried at home":   {Mapped{State: opened(good), Trial: trial(tree.Open, "192.168.1.5:7144", time.Minute)}, at + "has opened 203.0.113.7:7144 by UPnP, for TCP and UDP, for 1h00m at a time; nobody", "", true},
		"TCP alone":       {Mapped{State: opened(mapping("203.0.113.7:7144", 0, portmap.None))}, at + "has opened 203.0.113.7:7144 by UPnP, for TCP alone, ", "", true},
		"two ports":       {Mapped{State: opened(mapping("203.0.113.7:7145", 7146, portmap.None))}, at + "has opened 203.0.113.7:7145 by UPnP, for TCP, and UDP at port 7146, ", "", true},
		"seen elsewhere":  {Mapped{State: opened(good), Seen: seen("198.51.100.9")}, at + "has opened 203.0.113.7:7144, but the Internet sees this machine at 198.51.100.9", "In the router before it too, forward port 7144", false},
		"double NAT":      {Mapped{State: opened(mapping("192.168.178.2:7144", 7144, portmap.DoubleNAT))}, at + "has a private address itself, 192.168.178.2: another router", "In the router before it too", false},
		"refused there":   {Mapped{State: failed(portmap.DoubleNAT)}, at + "has a private address itself: another router", "In the router before it too", false},
		"CGNAT":           {Mapped{State: opened(mapping("100.64.0.2:7144", 7144, portmap.CarrierNAT))}, at + "has an address that the provider shares among homes (CGNAT), 100.64.0.2, so", "Ask the provider for a public address, or use IPv6", false},
		"CGNAT, a source": {Mapped{Source: true, State: failed(portmap.CarrierNAT)}, at + "has an address that the provider shares among homes (CGNAT), so", "Ask the provider for a public address, or use IPv6, or broadcast through a relay elsewhere: relay source --via HOST/ID", false},
		"no address":      {Mapped{State: failed(portmap.NoAddress)}, at + "says that it has no public address", "If it is connected", false},
		"refused":         {Mapped{State: failed(portmap.Refused)}, at + "does not allow", "Allow it there", false},
		"full":            {Mapped{State: failed(portmap.Full)}, at + "has no port left", "Start the router again", false},
		"no answer":       {Mapped{State: failed(portmap.NoAnswer)}, at + "opens no ports", "Switch UPnP on in the router, or there forward port 7144, TCP and UDP, to this machine", false},
		"broken":          {Mapped{State: failed(portmap.Broken)}, at + "cannot open the port (broken).", "In the router, forward port 7144", false},
		"IPv6 alone":      {Mapped{State: opened(six)}, "For IPv6 the router at 192.168.1.1 has opened [2001:db8::5]:7144 by UPnP.", "", false},
		"both":            {Mapped{State: opened(good, six)}, at + "has opened 203.0.113.7:7144 by UPnP, for TCP and UDP, for 1h00m at a time; nobody has tried it yet. For IPv6 the", "", true},
	} {
		c.of.Port = 7144
		text, next := c.of.Sentences()
		_, open := c.of.Open()
		if !strings.HasPrefix(text, c.text) || (text == "") != (c.text == "") || !strings.HasPrefix(next, c.next) || (next == "") != (c.next == "") || open != c.open {
			t.Errorf("%s: %q, %q, open %v", name, text, next, open)
		}
	}
}

func TestATrialThatTheRouterMayHaveOvertakenIsNoNews(t *testing.T) {
	good := mapping("203.0.113.7:7144", 7144, portmap.None)
	for name, c := range map[string]struct {
		state portmap.State
		after time.Duration
		want  bool
	}{
		"it is being asked":    {portmap.State{Searching: true}, time.Minute, true},
		"while it opened":      {opened(good), time.Second, true},
		"after it opened":      {opened(good), time.Minute, false},
		"it opened nothing":    {failed(portmap.NoAnswer), time.Second, false},
		"what it opened is no": {opened(mapping("100.64.0.2:7144", 0, portmap.CarrierNAT)), time.Second, false},
	} {
		m := Mapped{State: c.state, Trial: relay.Trial{Reach: tree.Closed, At: mappedSince.Add(c.after)}}
		if m.MayYetOpen() != c.want {
			t.Errorf("%s: %v", name, !c.want)
		}
	}
}

func TestASourceThatOnlyItsNetworkReachesIsToldWhatToDo(t *testing.T) {
	for _, c := range []struct{ router, next, text, hint string }{
		{"", "", "as far as is known, the link leads here from this network alone", "For viewers elsewhere, have the router forward port 7144, TCP and UDP, to this machine and add --advertise PUBLIC-ADDRESS:7144, or broadcast through a relay elsewhere: relay source --via HOST/ID"},
		{"The router sleeps.", "Wake it", "as far as is known, the link leads here from this network alone. The router sleeps.", "Wake it"},
	} {
		if w := OnlyHere(c.router, c.next, 7144); w != (Warning{"only_here", c.text, c.hint}) {
			t.Errorf("%+v", w)
		}
	}
}

func TestAWatcherThatNobodyReachesIsToldWhatItsRouterSays(t *testing.T) {
	const text = "behind a router or a firewall that lets nobody in: this node watches, and nobody can watch through it"
	for _, c := range []struct{ router, next, text, hint string }{
		{"", "", text, "To pass the stream on to others, have the firewall let in port 7144, TCP and UDP, and the router forward it to this machine."},
		{"The router sleeps.", "Wake it", text + ". The router sleeps.", "To pass the stream on to others: Wake it"},
	} {
		if w := Closed("203.0.113.7:7144", c.router, c.next, true); !strings.Contains(w.Text, "let the two meet") || w.Hint != c.hint {
			t.Errorf("%+v", w)
		}
		if w := Closed("203.0.113.7:7144", c.router, c.next, false); w != (Warning{"closed", c.text, c.hint}) {
			t.Errorf("%+v", w)
		}
	}
}

func TestHowAPortIsOpened(t *testing.T) {
	for addr, want := range map[string]string{
		"203.0.113.7:7144":   "To play, have the firewall let in port 7144, TCP and UDP, and the router forward it to this machine.",
		"[2001:db8::1]:7145": "To play, have the firewalls of this machine and of the router let in port 7145, TCP and UDP.",
		"":                   "To play, have the firewall let in its port, TCP and UDP, and the router forward it to this machine.",
	} {
		if got := OpenPort("To play", addr); got != want {
			t.Errorf("%s: %s", addr, got)
		}
	}
}
