package station

import (
	"context"
	"net"

	"golang.org/x/sync/errgroup"

	"relay/cli/fault"
	"relay/cli/words"
	"relay/ingest/flv"
	"relay/playback/api"
	"relay/playback/cast"
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
	name := "relay"
	if own := s.cfg.Name; own != "" {
		name += " " + own
	} else if s.cfg.HostName != "" && !s.cfg.HideNames {
		name += " " + s.cfg.HostName
	}
	s.tv = tv.New(tv.Config{
		Name: name, Node: s.Node.ID().String(), Agent: "relay/" + s.cfg.Version, Channels: s.forTV, Near: s.Node.Near,
		Players: s.HTTP.Addr().(*net.TCPAddr).AddrPort(), Unfit: s.unfitForTV, Interfaces: s.cfg.Discovery.Interfaces, Log: s.log,
	})
	s.t.Say("TVs on this network find the channels as %q; relay cast has a Chromecast play one.", name)
	return nil
}

// castFrom are the sites whose scripts may read the media since TVs may: the page by which a Chromecast plays.
func (c Config) castFrom() []string {
	if c.TV.Addr == "" {
		return nil
	}
	return []string{cast.Origin}
}

// forTV are the channels. A private one that this node can read is among them, as it is at the address for players,
// where the same people may watch it.
func (s *Station) forTV() []api.Channel {
	var all []api.Channel
	for _, c := range s.shown() {
		all = append(all, c.About())
	}
	return all
}

func (s *Station) unfitForTV(c api.Channel) {
	if c.Codec.Video == "" {
		s.t.Say("TVs are not told of channel %s, which has no pictures.", c.Name)
		return
	}
	s.t.Say("TVs are not told of channel %s: it has %s, and they play H.264 or HEVC with AAC or MP3.", c.Name, words.Codecs(flv.Info{HasVideo: true, HasAudio: c.Codec.Audio != "", VideoCodec: c.Codec.Video, AudioCodec: c.Codec.Audio}))
}

// runTV serves TVs until ctx ends. A failure does not end the station.
func (s *Station) runTV(ctx context.Context, g *errgroup.Group) {
	if s.tv == nil {
		return
	}
	g.Go(func() error {
		if err := s.tv.Run(ctx, s.tvAt); err != nil && ctx.Err() == nil {
			s.t.Say("TVs on this network do not find the channels: %s", fault.Plain(err))
		}
		return nil
	})
}
