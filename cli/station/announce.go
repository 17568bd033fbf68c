package station

import (
	"context"
	"time"

	"relay/cli/fault"
	"relay/ingest/flv"
	"relay/playback/api"
	"relay/relay/discovery"
)

// channelsToTell returns the node's channels that discovery may announce.
func (s *Station) channelsToTell() []discovery.Channel {
	var all []discovery.Channel
	for _, c := range s.Node.Channels() {
		st, ok := c.Status()
		if !ok || c.Private() {
			continue
		}
		d := discovery.Channel{ID: c.ID(), BitRate: st.Ring.BitRate, Source: st.Tree.Root}
		if h := c.Ring().Header(); h != nil {
			info := flv.Describe(h.Payload())
			if info.Unlisted {
				continue
			}
			d.Title = info.Title
		} else if d.Title = s.cfg.Title; !d.Source {
			continue // it may be unlisted
		}
		d.State = discoveryState(FactsFrom(st, ok, s.ops.encoder(c)), time.Now())
		if d.State != discovery.Live {
			d.BitRate = 0
		}
		all = append(all, d)
	}
	return all
}

// discoveryState is a channel's state for those who look for one to watch: a channel that
// has no way to its source is lost to them, and any other one that is not live waits.
func discoveryState(f api.Facts, now time.Time) discovery.State {
	switch {
	case !f.Root && !f.Attached:
		return discovery.Lost
	case api.StateOf(f, now) == api.Live:
		return discovery.Live
	}
	return discovery.Waiting
}

// answer lets those on this network find the station's channels, until ctx ends. A
// failure does not end the station, because others can still be given the link.
func (s *Station) answer(ctx context.Context) {
	if err := s.responder.Run(ctx); err != nil && ctx.Err() == nil {
		s.t.Say("Others on this network cannot find the channel by themselves and need the link: %s", fault.Plain(err))
	}
}
