package abuse

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"relay/cli/abuse/hostile"
	"relay/cli/fault"
	"relay/relay"
	"relay/relay/hostnet"
	"relay/relay/stream"
)

// Target is a running node and what it is attacked for. A port whose address is not valid is left
// alone.
type Target struct {
	Channel stream.ChannelID
	Links   netip.AddrPort // TCP, and UDP for gossip
	HTTP    netip.AddrPort
	RTMP    netip.AddrPort
	// RTSP is where players play over RTSP, if they do.
	RTSP netip.AddrPort
	SRT  netip.AddrPort // UDP, if it has that
	// PeerCast is where PeerCast is served, if it is.
	PeerCast netip.AddrPort
	// WHIP is where encoders publish over it, TCP and UDP, if they may.
	WHIP netip.AddrPort
	// MPEGTS is where that comes in over UDP, if it does.
	MPEGTS netip.AddrPort
	TV     netip.AddrPort // where TVs read what there is, if they may
	SSDP   netip.AddrPort // where they look for that: the address, or SSDP's group
	Admin  netip.AddrPort // metrics: without them much of what happens inside is not seen
	// Discovery is where queries go: the address, or that of a broadcast, as responders listen to
	// what is sent to many.
	Discovery netip.AddrPort
	Key       string // the stream key; "" leaves out what needs one
	PID       int    // 0 if it is not known
	TagLog    string // what the source's --tag-log writes; "" if there is none
	Mine      bool   // whoever runs this says that the machine is theirs
}

// resolve returns the address of a host and port.
func resolve(ctx context.Context, h relay.HostPort) (netip.AddrPort, error) {
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", h.Host)
	if err != nil {
		return netip.AddrPort{}, fault.Fail("give an address in place of the name", "find %s: %w", h.Host, err)
	}
	return netip.AddrPortFrom(ips[0].Unmap(), h.Port), nil
}

// check refuses what is not this machine's, and not its own network's, unless the user answers for it.
func (t Target) check() error {
	var own hostnet.Subnets
	for _, a := range []netip.AddrPort{t.Links, t.HTTP, t.RTMP, t.Admin, t.Discovery, t.PeerCast, t.RTSP, t.SRT, t.WHIP, t.MPEGTS, t.TV, t.SSDP} {
		switch ip := a.Addr().Unmap(); {
		case !ip.IsValid() || t.Mine || mine(&own, ip):
		case (a == t.Discovery || a == t.SSDP) && ip.IsMulticast(): // what is sent to a group goes no further than the next router
		default:
			return fault.Usage("this is to test one's own nodes; if that machine is yours, add --i-own-this-machine",
				"%s is neither this machine nor in its own networks", ip)
		}
	}
	return nil
}

// mine reports whether an address is this machine's, or of one of its own subnets.
func mine(own *hostnet.Subnets, ip netip.Addr) bool {
	return ip.IsLoopback() || own.Near(time.Now(), ip)
}

// address returns where a port is attacked.
func (t Target) address(p hostile.Port) netip.AddrPort {
	switch p {
	case hostile.RTMP, hostile.Media:
		return t.RTMP
	case hostile.SRT:
		return t.SRT
	case hostile.HTTP:
		return t.HTTP
	case hostile.Discovery:
		return t.Discovery
	case hostile.RTSP:
		return t.RTSP
	case hostile.PeerCast:
		return t.PeerCast
	case hostile.WHIP, hostile.WHIPMedia:
		return t.WHIP
	case hostile.MPEGTS:
		return t.MPEGTS
	case hostile.TV:
		return t.TV
	case hostile.SSDP:
		return t.SSDP
	}
	return t.Links
}

// sources are the addresses that attackers come from.
type sources struct {
	from  netip.Prefix // not valid for the one that the system picks
	hosts int          // how many of it are used
	nets  int          // over how many /24s they are spread
}

// newSources returns addresses of a prefix: some of 127.0.0.0/8 if the target is on loopback and no
// other prefix is given. They have to be this machine's.
func newSources(from netip.Prefix, to netip.Addr) (sources, error) {
	if !from.IsValid() && to.Is4() && to.IsLoopback() {
		from = netip.MustParsePrefix("127.66.0.0/16")
	}
	if !from.IsValid() {
		return sources{}, nil
	}
	s := sources{from: from.Masked(), nets: 1}
	free := from.Addr().BitLen() - from.Bits()
	if free > 8 {
		s.nets = 1 << min(free-8, 6)
	}
	s.hosts = max(1, min(1000, s.nets*(1<<min(free, 8)-2)))
	ln, err := net.Listen("tcp", netip.AddrPortFrom(s.at(0), 0).String())
	if err != nil {
		if to.IsLoopback() {
			return sources{}, nil // macOS has one address on loopback
		}
		return s, fault.Usage("give the addresses to this machine first, as in: ip route add local PREFIX dev lo", "%s of --from is not an address of this machine: %w", s.at(0), err)
	}
	return s, ln.Close()
}

// at returns the i-th address, spread over the prefix's /24s.
func (s sources) at(i int) netip.Addr {
	if !s.from.IsValid() {
		return netip.Addr{}
	}
	b := s.from.Addr().AsSlice()
	n := i % s.hosts
	b[len(b)-1] |= byte(1 + n/s.nets)
	b[len(b)-2] |= byte(n % s.nets)
	a, _ := netip.AddrFromSlice(b)
	return a
}

// tcp and udp are the local ends of an attacker's sockets, nil for any.
func (s sources) tcp(i int) net.Addr {
	if a := s.at(i); a.IsValid() {
		return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, 0))
	}
	return nil
}

func (s sources) udp(i int) *net.UDPAddr {
	if a := s.at(i); a.IsValid() {
		return net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 0))
	}
	return nil
}

// name says where they are, in words.
func (s sources) String() string {
	if !s.from.IsValid() {
		return "one address"
	}
	return fmt.Sprintf("%d addresses of %s", s.hosts, s.from)
}
