package station

import (
	"context"
	"net"
	"net/netip"

	"golang.org/x/sync/errgroup"

	"relay/cli/fault"
	"relay/cli/gateway"
	"relay/playback/pcpout"
	"relay/relay"
	"relay/relay/stream"
	"relay/tree"
)

// PeerCast says whether and how the station serves PeerCast.
type PeerCast struct {
	gateway.Wish
	Port Port // of its own; Addr is "" for that for links
}

// pcpBegins are the bytes with which PeerCast begins, which TLS does not: GET, and pcp\n.
const pcpBegins = "Gp"

// openPeerCast opens the port for PeerCast, or has the node hand over what comes to its own.
func (s *Station) openPeerCast(nc *relay.Config) (err error) {
	switch p := s.cfg.PeerCast; {
	case !p.On:
	case p.Port.Addr != "":
		s.peercastAt, err = p.Port.listen(s.t)
	case s.cfg.Alone:
		return fault.Usage("leave --no-relay out, or give PeerCast a port of its own with --peercast-listen", "--no-relay closes the port that --peercast would use")
	default:
		nc.Other = relay.Other{Begins: pcpBegins, Take: func(ctx context.Context, conn net.Conn, first []byte) { s.peercast.Take(ctx, conn, first) }}
	}
	return err
}

// servePeerCast makes the server, once there is one for players.
func (s *Station) servePeerCast() {
	if s.cfg.PeerCast.On {
		s.peercast = gateway.New(s.cfg.PeerCast.Wish, pcpout.Config{
			Players: s.players, Channels: s.shown, Agent: "relay/" + s.cfg.Version, Most: s.cfg.Slots, Own: s.Node.Near, Nodes: s.below, Log: s.log,
		}, s.peercastHost, s.t.Say)
	}
}

// below is where nodes that take a channel from this one can be dialled, unless it is known that they cannot.
func (s *Station) below(id stream.ChannelID) (all []netip.AddrPort) {
	for _, c := range s.Node.Channels() {
		if c.ID() != id {
			continue
		}
		st, _ := c.Status()
		for _, child := range st.Tree.Children {
			if child.Reach != tree.Closed && child.Reach != tree.Punchable && len(child.Place.Addrs) > 0 {
				all = append(all, child.Place.Addrs[0])
			}
		}
	}
	return all
}

// peercastHost is where others reach the station with PeerCast, the most useful address; false if nowhere.
func (s *Station) peercastHost() (relay.HostPort, bool) {
	hosts := s.reach.Hosts(s.Node.Addrs())
	if s.peercastAt == nil {
		if len(hosts) == 0 {
			return relay.HostPort{}, false
		}
		return hosts[0], true
	}
	at := s.peercastAt.Addr().(*net.TCPAddr).AddrPort()
	if at.Addr().IsUnspecified() && len(hosts) > 0 {
		return relay.HostPort{Host: hosts[0].Host, Port: at.Port()}, true
	}
	at, err := netip.ParseAddrPort(LocalAddr(s.peercastAt))
	return relay.HostPort{Host: at.Addr().String(), Port: at.Port()}, err == nil
}

// runPeerCast serves until ctx ends.
func (s *Station) runPeerCast(ctx context.Context, g *errgroup.Group) {
	if s.peercast == nil {
		return
	}
	g.Go(func() error { s.peercast.Run(ctx); return nil })
	if s.peercastAt != nil {
		g.Go(func() error { return s.peercast.Serve(ctx, s.peercastAt) })
	}
}

// PeerCastPort says whether PeerCast is served, and on which port of its own, 0 for that for links.
type PeerCastPort struct {
	Open bool
	Own  uint16
}

// Outward is what lists may be told of a station, besides its channels.
type Outward struct {
	Title    string // of the source's channel until there is a header
	Via      []relay.HostPort
	PeerCast PeerCastPort
}

// Outward returns it.
func (s *Station) Outward() Outward {
	o := Outward{Title: s.cfg.Title, Via: s.cfg.Via, PeerCast: PeerCastPort{Open: s.peercast != nil}}
	if s.peercastAt != nil {
		o.PeerCast.Own = s.peercastAt.Addr().(*net.TCPAddr).AddrPort().Port()
	}
	return o
}
