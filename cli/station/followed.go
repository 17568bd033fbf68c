package station

import (
	"context"
	"time"

	"relay/cli/follow"
	"relay/cli/words"
	"relay/playback/api"
)

// newFollows returns what finds out, while the station runs, which channels of the user's list are live.
func (s *Station) newFollows() *follow.Watcher {
	return &follow.Watcher{
		Read: func() []follow.Channel {
			l, err := follow.Read(s.cfg.Folder)
			if err != nil {
				s.log.Debug(words.FollowUnread(err)) // the command that uses the list says it
			}
			return l.Channels
		},
		Finders: []follow.Finder{s.carried, follow.OnNetwork(s.cfg.Discovery, s.log), follow.AtHosts(s.Node, follow.SecretsIn(s.cfg.Folder)), follow.ByID(s.Finder, s.Node, follow.SecretsIn(s.cfg.Folder))},
		Told: func(f follow.Followed, airs bool) {
			if s.Node.Channel(f.Channel.ID) == nil { // else it is told already
				s.t.Say("%s", words.FollowTold(f.Name, airs))
			}
			s.ops.events.Tell(words.FollowEvent(f.Name, f.Channel.ID.String(), f.Channel.ID.Short(), airs))
		},
	}
}

// carried finds the channels that this station has.
func (s *Station) carried(_ context.Context, _ []follow.Channel, found func(follow.Sighting)) {
	for _, c := range s.Node.Channels() {
		e := s.ops.encoder(c)
		st, ok := c.Status()
		sighting := follow.Sighting{ID: c.ID(), State: follow.Waiting}
		if api.StateOf(FactsFrom(st, ok, e), time.Now()) == api.Live {
			sighting.State = follow.Live
		}
		found(sighting)
	}
}

// followed is what is known of the channels of the user's list, for the page at this machine.
func (s *Station) followed() []api.Followed {
	var all []api.Followed
	for _, f := range s.follows.Now() {
		all = append(all, api.Followed{ID: f.Channel.ID.String(), Name: f.Channel.ID.Short(), As: f.Name, Title: f.Title, State: f.State.String()})
	}
	return all
}
