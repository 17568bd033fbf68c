package station

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

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
	List    string   // host:port of the list (YP) that shows them; "" for none
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

const (
	// announceMost is how many channels are announced, and announceLook how often it is looked which.
	announceMost = 32
	announceLook = 2 * time.Second
)

// announcePeerCast has the list show the station's channels until ctx ends.
func (s *Station) announcePeerCast(ctx context.Context) {
	running := make(map[stream.ChannelID]context.CancelFunc)
	var wg sync.WaitGroup
	defer wg.Wait()
	look := time.NewTicker(announceLook)
	defer look.Stop()
	for {
		shown := make(map[stream.ChannelID]bool)
		for _, c := range s.shown() {
			at, ok := s.peercastHost()
			if a := c.About(); a.Private || !ok {
				continue
			}
			id, port := c.ID(), at.Port
			if shown[id] = true; running[id] != nil || len(running) >= announceMost {
				continue
			}
			one, stop := context.WithCancel(ctx)
			running[id] = stop
			wg.Go(func() { // ends with one
				s.peercast.Announce(one, pcpout.Announcement{List: s.cfg.PeerCast.List, Channel: id, Port: port, Told: s.toldByList})
			})
		}
		for id, stop := range running {
			if !shown[id] {
				stop()
				delete(running, id)
			}
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			for _, stop := range running {
				stop()
			}
			return
		}
	}
}

// toldByList tells the user what becomes of the announcement.
func (s *Station) toldByList(port uint16, err error) {
	list := s.cfg.PeerCast.List
	_, broken := errors.AsType[*pcp.Error](err)
	switch {
	case errors.Is(err, pcpout.ErrNotOnAir):
	case errors.Is(err, pcpout.ErrListQuit):
		s.t.Say("%s", words.ListQuit(list))
	case broken:
		s.t.Say("%s", words.ListBroken(list))
	case err != nil:
		s.t.Say("%s", words.ListAway(list, fault.Plain(err)))
	case port == 0:
		at, _ := s.peercastHost()
		s.t.Say("%s", words.ListShut(list, at.Port))
	default:
		s.t.Say("%s", words.Listed(list))
	}
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

// peercastHost is where others reach the station with PeerCast, the most useful address; false if nowhere.
func (s *Station) peercastHost() (relay.HostPort, bool) {
	hosts := s.reach.hosts(s.Node.Addrs())
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
	if s.cfg.PeerCast.List != "" {
		g.Go(func() error { s.announcePeerCast(ctx); return nil })
	}
}

// tellPeerCast says how PeerCast opens a channel.
func (s *Station) tellPeerCast(c *relay.Channel) {
	if s.peercast == nil || c.Private() {
		return
	}
	if at, ok := s.peercastHost(); ok {
		s.t.Say("%s", words.PeerCastAt(at.String(), pcp.ChannelID(c.ID()).String()))
	}
}
