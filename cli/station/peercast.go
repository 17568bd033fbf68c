package station

import (
	"context"
	"errors"
	"net"

	"golang.org/x/sync/errgroup"

	"relay/cli/fault"
	"relay/cli/words"
	"relay/playback/pcpout"
	"relay/relay"
	"relay/relay/pcp"
	"relay/relay/stream"
)

// PeerCast says whether and how the station serves PeerCast.
type PeerCast struct {
	On      bool
	Session pcp.ID   // of this process, whatever it does with PeerCast
	Port    Port     // of its own; Addr is "" for that for links
	Says    pcp.Info // of all channels: genre, description, comment and URL
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
	if !s.cfg.PeerCast.On {
		return
	}
	s.peercast = pcpout.New(pcpout.Config{
		Players: s.players, Channels: s.shown, Session: s.cfg.PeerCast.Session, Agent: "relay/" + s.cfg.Version, Most: s.cfg.Slots,
		Texts: func(stream.ChannelID) pcp.Info { return s.cfg.PeerCast.Says }, Own: s.Node.Near, Log: s.log,
	})
}

// NoPrivate says in words that a private channel is not served to PeerCast, if that is wanted.
func (p PeerCast) NoPrivate(private bool) error {
	if !p.On || !private {
		return nil
	}
	return &fault.Error{
		Err:  errors.New("this channel is private, and PeerCast would show it to everybody: nothing in it is sealed"),
		Hint: "leave --peercast out, or broadcast a channel that is not private", Code: fault.ExitUsage,
	}
}

// peercastHost is where others reach the station with PeerCast, the most useful address; "" if nowhere.
func (s *Station) peercastHost() string {
	hosts := s.reach.hosts(s.Node.Addrs())
	if s.peercastAt == nil {
		if len(hosts) == 0 {
			return ""
		}
		return hosts[0].String()
	}
	at := s.peercastAt.Addr().(*net.TCPAddr).AddrPort()
	if !at.Addr().IsUnspecified() || len(hosts) == 0 {
		return LocalAddr(s.peercastAt)
	}
	return relay.HostPort{Host: hosts[0].Host, Port: at.Port()}.String()
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

// tellPeerCast says how PeerCast opens a channel.
func (s *Station) tellPeerCast(c *relay.Channel) {
	if s.peercast == nil || c.Private() {
		return
	}
	if at := s.peercastHost(); at != "" {
		s.t.Say("%s", words.PeerCastAt(at, pcp.ChannelID(c.ID()).String()))
	}
}
