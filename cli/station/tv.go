package station

import (
	"context"
	"net"

	"golang.org/x/sync/errgroup"

	"relay/cli/fault"
	"relay/cli/words/ontv"
	"relay/playback/api"
	"relay/playback/tv"
)

// openTV opens the port for TVs, if they are to be told of the channels.
func (s *Station) openTV() (err error) {
	if s.cfg.TV.Addr == "" {
		return nil
	}
	if s.tvAt, err = s.cfg.TV.listen(s.t); err != nil {
		return err
	}
	name := ontv.Name(s.cfg.Name, s.cfg.HostName, s.cfg.HideNames)
	s.tv = tv.New(tv.Config{
		Name: name, Node: s.Node.ID().String(), Agent: "relay/" + s.cfg.Version, Channels: s.forTV, Near: s.Node.Near,
		Players: s.HTTP.Addr().(*net.TCPAddr).AddrPort(), Unfit: func(c api.Channel) { s.t.Say("%s", ontv.Unfit(c)) }, Interfaces: s.cfg.Discovery.Interfaces, Log: s.log,
	})
	s.t.Say("TVs on this network find the channels as %q; relay cast has a Chromecast play one.", name)
	return nil
}

// forTV are the channels. A private one that is read here is among them, as it is for players.
func (s *Station) forTV() []api.Channel {
	var all []api.Channel
	for _, c := range s.shown() {
		all = append(all, c.About())
	}
	return all
}

// runTV serves TVs until ctx ends. A failure does not end the station.
func (s *Station) runTV(ctx context.Context, g *errgroup.Group) {
	g.Go(func() error {
		if s.tv == nil {
			return nil
		}
		if err := s.tv.Run(ctx, s.tvAt); err != nil && ctx.Err() == nil {
			s.t.Say("TVs on this network do not find the channels: %s", fault.Plain(err))
		}
		return nil
	})
}
