package cli

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"time"

	"relay/cli/term"
	"relay/playback"
	"relay/relay"
)

// machine is all that relay doctor looks at, so that what it says of it can be tested.
type machine struct {
	goos       string
	now        time.Time
	interfaces []netInterface
	out4, out6 netip.Addr // from which packets to the Internet leave; zero without a way
	ports      []portUse
	programs   map[string]program // that are there, by the names of players and browsers
	folder     folder
	around     around
	asked      string           // the relay that was asked: host:port
	running    *playback.Status // nil if none answers
	trees      playback.Trees   // of that relay
	upload     int              // bit/s, as the user states it; 0 if not
}

// examine looks at the machine. Of the Internet it asks nothing.
func examine(ctx context.Context, a *asker, config string, offset int, lan discoveryConfig) machine {
	m := machine{goos: runtime.GOOS, now: time.Now(), asked: a.addr}
	m.interfaces = netInterfaces()
	// Connecting UDP sends nothing; the address is one for documentation (RFC 3849).
	m.out4, m.out6 = outward(), leavesFrom("udp6", "[2001:db8::1]:9")
	m.ports = lookAtPorts(offset)
	m.programs = findPrograms(ctx)
	m.folder = lookAtFolder(config)
	m.around = lookAroundOnce(ctx, lan)
	if st, err := a.status(ctx); err == nil {
		m.running = &st
		m.trees, _ = a.trees(ctx, "") // without them, less is said
	}
	return m
}

func (m machine) diagnose() []finding {
	var all []finding
	for _, check := range []func() []finding{m.checkNetwork, m.checkPorts, m.checkPlayers, m.checkFolder, m.checkRunning, m.checkAround, m.checkUpload} {
		all = append(all, check()...)
	}
	return all
}

// netInterface is one interface that is up.
type netInterface struct {
	name         string
	pointToPoint bool
	addrs        []netip.Addr
}

// netInterfaces are those that are up, the loopback left out.
func netInterfaces() []netInterface {
	var all []netInterface
	ifs, _ := net.Interfaces() // without them there is no network to speak of
	for _, i := range ifs {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		n := netInterface{name: i.Name, pointToPoint: i.Flags&net.FlagPointToPoint != 0}
		addrs, _ := i.Addrs() // it may have gone away just now
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				n.addrs = append(n.addrs, p.Addr().Unmap())
			}
		}
		all = append(all, n)
	}
	return all
}

// leavesFrom is the address from which packets to that one leave; zero without a way.
func leavesFrom(network, to string) netip.Addr {
	conn, err := net.Dial(network, to)
	if err != nil {
		return netip.Addr{}
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

// carrier is the block of addresses that providers share among customers (RFC 6598).
var carrier = netip.MustParsePrefix("100.64.0.0/10")

func (m machine) checkNetwork() []finding {
	f := findings{topic: "Network"}
	reached := false
	for _, i := range m.interfaces {
		var good, own []string
		for _, a := range i.addrs {
			if a.IsLinkLocalUnicast() {
				own = append(own, a.String())
			} else {
				good = append(good, a.String())
			}
		}
		switch {
		case i.pointToPoint && len(good) > 0:
			f.note("", "%s is a VPN or another line to one place, with %s.", i.name, term.Spelt(good))
		case len(good) > 0:
			reached = true
			f.fine("%s has %s: others on that network reach this machine there.", i.name, term.Spelt(good))
		case len(own) > 0 && hasIPv4(i.addrs):
			f.todo("Check whether the router gives out addresses (DHCP), and the cable or the Wi-Fi password.",
				"%s has been given no address, only %s, which it made up itself.", i.name, term.Spelt(own))
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
	case carrier.Contains(a):
		f.note("Viewers elsewhere need IPv6, or a relay at home of somebody whose router can forward.",
			"The provider shares one Internet address among customers (%s is such), so no port can be forwarded to this machine.", a)
	case a.IsPrivate():
		f.note(fmt.Sprintf("To be reached from the Internet, have the router forward port %d, TCP and UDP, to %s, and add --advertise PUBLIC-ADDRESS:%d.", portListen, a, portListen),
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

func (m machine) checkRunning() []finding {
	f := findings{topic: "The relay that runs here"}
	if m.running == nil {
		f.note("relay source broadcasts, relay watch LINK watches; one on another port is named by --http.",
			"No relay answers at %s.", m.asked)
		return f.all
	}
	if len(m.running.Channels) == 0 {
		f.note("", "A relay runs here, and has no channel open.")
	}
	for _, c := range m.running.Channels {
		m.checkChannel(&f, c)
	}
	return f.all
}

// tooLate is from which delay on a stream is hardly live any more, in milliseconds.
const tooLate = 5000

func (m machine) checkChannel(f *findings, c playback.ChannelStatus) {
	source := c.Depth == 0 && c.Parent == nil && len(c.Path) <= 1
	about := fmt.Sprintf("%s, %s and %s here", term.RateText(c.BitRate), term.Plural(len(c.Children), "child", "children"), term.Counted(int64(c.ViewerCount), "player"))
	switch {
	case c.State == playback.Live && source:
		f.fine("Channel %s is live: %s.", c.Name, about)
	case c.State == playback.Live:
		f.fine("Channel %s is live: %s from the source, %s behind it, %s.", c.Name, term.Links(c.Depth), term.DelayText(c.DelayMs), about)
	case c.State == playback.Waiting && source:
		f.todo("Start the encoder, with the Server and Key that relay source has printed.", "Channel %s waits for its encoder.", c.Name)
	case c.State == playback.Waiting:
		f.todo("Ask the broadcaster whether relay source runs; relay watch goes on trying.", "Channel %s has not been reached yet.", c.Name)
	case source:
		f.todo("Start the encoder again; viewers stay connected.", "Channel %s has lost its encoder.", c.Name)
	default:
		f.todo("It looks for another way by itself; if that takes long, ask the broadcaster.", "Channel %s has lost its way to the source.", c.Name)
	}
	if c.DelayMs > tooLate {
		f.note("relay tree shows where the time is lost.", "Channel %s is %s behind its source.", c.Name, term.DelayText(c.DelayMs))
	}
	if c.Chunks.Lost > 0 {
		f.note("relay top, sorted by l, shows where they get lost.", "%s of channel %s did not get here since it was opened.", term.Counted(int64(c.Chunks.Lost), "chunk"), c.Name)
	}
	if c.Link == "" {
		f.note("Leave --no-relay out to pass the stream on.", "Nobody can get channel %s from this node.", c.Name)
	}
}

// usualRates are those of 720p, 1080p and 1080p at 60 frames a second, in bit/s.
var usualRates = []int{3_000_000, 6_000_000, 9_000_000}

func (m machine) checkUpload() []finding {
	f := findings{topic: "Upload"}
	if m.upload > 0 {
		var fit []string
		for _, r := range usualRates {
			fit = append(fit, fmt.Sprintf("%d at %s", int(float64(m.upload)*relay.UploadShare)/r, term.RateText(r)))
		}
		f.fine("%s of upload carry this many viewers on other networks: %s. Each of them passes it on to more.", term.RateText(m.upload), term.Spelt(fit))
	}
	for i, t := range m.trees.Channels {
		if m.running == nil {
			break
		}
		for _, n := range t.Nodes {
			if n.ID == t.Self {
				m.checkSlots(&f, m.trees.Channels[i], n)
			}
		}
	}
	if len(f.all) == 0 {
		f.note("To plan ahead, look it up in your contract, and run relay doctor --upload 20M. relay source --upload 20M keeps to it.",
			"How much this machine can upload is not known; a relay that runs finds out.")
	}
	return f.all
}

func (m machine) checkSlots(f *findings, t playback.ChannelTree, n playback.TreeNode) {
	what := term.Plural(n.Slots, "child", "children")
	switch {
	case n.Slots == 0:
		f.note("If its upload is better than that, --upload says so.", "The relay here passes channel %s on to nobody.", t.Name)
	case n.SlotsFree == 0:
		f.note("If its upload is better than that, --upload and --max-children say so.",
			"The relay here carries all it can of channel %s: %s, %s. Others are sent to nodes further down.", t.Name, what, term.RateText(int(n.UploadBPS)))
	default:
		f.fine("The relay here has room for %s of channel %s, %d more than now; %s go to them.", what, t.Name, n.SlotsFree, term.RateText(int(n.UploadBPS)))
	}
}
