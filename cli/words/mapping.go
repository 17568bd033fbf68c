package words

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"relay/cli/term"
	"relay/relay"
	"relay/relay/portmap"
	"relay/tree"
)

// Mapped is what is known of the port that routers were asked to open for others.
type Mapped struct {
	State portmap.State
	Port  uint16       // this machine's
	Seen  []netip.Addr // where the Internet sees this machine by IPv4; none if that is not known
	Trial relay.Trial  // the newest
	Came  bool         // somebody has come in who is not near
	// Source says that a channel begins at this node, so that a helper can take it.
	Source bool
}

// viaHelper is what always works.
const viaHelper = "broadcast through a relay elsewhere: relay source --via HOST/ID"

// Told reports whether others are told of a mapping: one with a public IPv4 address that is not
// known to be another than the one that the Internet sees. One for IPv6 has this machine's own
// address, which they are told anyway.
func (m Mapped) Told(p portmap.Mapping) bool {
	a := p.External.Addr()
	return a.Is4() && p.Reason == portmap.None && (len(m.Seen) == 0 || slices.Contains(m.Seen, a))
}

// Open returns the first mapping of which others are told.
func (m Mapped) Open() (portmap.Mapping, bool) {
	if i := slices.IndexFunc(m.State.Mappings, m.Told); i >= 0 {
		return m.State.Mappings[i], true
	}
	return portmap.Mapping{}, false
}

// Sentences says what came of asking the routers, and what a person can do then. Both are "" if
// there is no router, and the second one if there is nothing to do.
func (m Mapped) Sentences() (text, next string) {
	text, next = m.four()
	for _, p := range m.State.Mappings {
		if p.External.Addr().Is6() && p.Reason == portmap.None {
			if text != "" {
				text += " "
			}
			return text + fmt.Sprintf("For IPv6 the router at %s has opened %s by %s.", p.Gateway, p.External, Protocol(p.Protocol)), next
		}
	}
	return text, next
}

func (m Mapped) four() (text, next string) {
	if p, ok := m.Open(); ok {
		tried, next := m.tried(p)
		return fmt.Sprintf("The router at %s has opened %s by %s, for %s, %s; %s.", p.Gateway, p.External, Protocol(p.Protocol), transports(p), lease(p.Lease), tried), next
	}
	forward := fmt.Sprintf("forward port %d, TCP and UDP, to this machine", m.Port)
	why := m.State.Why()
	gateway, external := m.about(why)
	router := "The router"
	if gateway.IsValid() {
		router = "The router at " + gateway.String()
	}
	switch why {
	case portmap.NoGateway:
		return "", ""
	case portmap.Searching:
		return "The router is being asked to open the port.", ""
	case portmap.None: // but others see another address
		return fmt.Sprintf("%s has opened %s, but the Internet sees this machine at %s: another router is before it, or the provider shares that address among homes.", router, external, m.Seen[0]),
			m.next("In the router before it too, %s, or ask the provider for a public address, or use IPv6", forward)
	case portmap.DoubleNAT:
		return fmt.Sprintf("%s has a private address itself%s: another router is before it (double NAT), and nobody outside gets in.", router, known(external)),
			m.next("In the router before it too, %s, or make one of both a bridge", forward)
	case portmap.CarrierNAT:
		return fmt.Sprintf("%s has an address that the provider shares among homes (CGNAT)%s, so nobody outside gets in by IPv4.", router, known(external)),
			m.next("Ask the provider for a public address, or use IPv6")
	case portmap.NoAddress:
		return fmt.Sprintf("%s says that it has no public address: it is not connected, or another router or the provider's (CGNAT) is before it.", router),
			m.next("If it is connected, %s in the router before it too, or ask the provider for a public address, or use IPv6", forward)
	case portmap.Refused:
		return fmt.Sprintf("%s does not allow programs to open ports.", router), m.next("Allow it there (UPnP, NAT-PMP or PCP), or %s", forward)
	case portmap.Full:
		return fmt.Sprintf("%s has no port left for this machine.", router), m.next("Start the router again, or %s there", forward)
	case portmap.NoAnswer:
		return fmt.Sprintf("%s opens no ports for programs: it answers neither PCP nor NAT-PMP nor UPnP.", router), m.next("Switch UPnP on in the router, or there %s", forward)
	}
	return fmt.Sprintf("%s cannot open the port (%s).", router, why), m.next("In the router, %s", forward)
}

// next is what to do; a source has one way more.
func (m Mapped) next(format string, args ...any) string {
	text := fmt.Sprintf(format, args...)
	if m.Source {
		text += ", or broadcast through a relay elsewhere: relay source --via HOST/ID"
	}
	return text
}

// about finds the router that a reason is of, and its own address if it has told it.
func (m Mapped) about(why portmap.Reason) (gateway netip.Addr, external netip.AddrPort) {
	for _, p := range m.State.Mappings {
		if p.Reason == why && p.External.Addr().Is4() {
			return p.Gateway, p.External
		}
	}
	for _, f := range m.State.Failures {
		if f.Reason == why && f.Internal.Addr().Is4() {
			return f.Gateway, external
		}
	}
	return gateway, external
}

// tried says what came of the newest trial, if it was at the mapping.
func (m Mapped) tried(p portmap.Mapping) (result, next string) {
	t := m.Trial
	switch {
	case m.Came:
		return "somebody came in from outside", ""
	case t.Reach == tree.Untried || t.Addr != p.External || t.Reach == tree.Closed && t.At.Before(p.Since.Add(tree.ProbeTime)):
		return "nobody has tried it yet", ""
	case t.Reach == tree.Open:
		return "another node got through", ""
	}
	return "but another node did not get through",
		m.next("Have the firewall of this machine let in port %d, TCP and UDP; if it does, the router does not do what it says: forward the port there by hand", m.Port)
}

// MayYetOpen reports whether a trial that found nobody to get through may be over for a router
// that has opened the port meanwhile, or is about to.
func (m Mapped) MayYetOpen() bool {
	if m.State.Searching {
		return true
	}
	p, ok := m.Open()
	return ok && m.Trial.At.Before(p.Since.Add(tree.ProbeTime))
}

// Protocol is a protocol's name for people.
func Protocol(p portmap.Protocol) string {
	if p == portmap.UPnP {
		return "UPnP"
	}
	return strings.ToUpper(string(p))
}

func transports(p portmap.Mapping) string {
	switch p.UDP {
	case 0:
		return "TCP alone"
	case p.External.Port():
		return "TCP and UDP"
	}
	return fmt.Sprintf("TCP, and UDP at port %d", p.UDP)
}

func lease(d time.Duration) string {
	if d == 0 {
		return "until it is told otherwise"
	}
	return fmt.Sprintf("for %s at a time", term.UptimeText(int64(d.Seconds())))
}

func known(external netip.AddrPort) string {
	if !external.IsValid() {
		return ""
	}
	return ", " + external.Addr().String()
}

// OnlyHere tells whoever runs a source that the link leads there from its own network alone.
// text and next are as of Sentences.
func OnlyHere(text, next string, port uint16) Warning {
	w := Warning{Code: warnOnlyHere, Text: "as far as is known, the link leads here from this network alone", Hint: next}
	if text != "" {
		w.Text += ". " + text
	}
	if w.Hint == "" {
		w.Hint = fmt.Sprintf("For viewers elsewhere, have the router forward port %d, TCP and UDP, to this machine and add --advertise PUBLIC-ADDRESS:%d, or %s", port, port, viaHelper)
	}
	return w
}
