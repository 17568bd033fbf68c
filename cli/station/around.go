package station

import (
	"context"
	"time"

	"relay/cli/lan"
	"relay/relay"
	"relay/relay/discovery"
)

const (
	// aroundFor is how long a look around lasts.
	aroundFor = time.Second
	// othersFirst is how long a source looks for others of its channel at first, othersFor how long
	// later on, and othersEvery the pause between two looks.
	othersFirst = 3 * time.Second
	othersFor   = 300 * time.Millisecond
	othersEvery = 30 * time.Second
)

// LookAround asks this network for the channel once, and suggests to it the nodes that know a way to
// the source.
func (s *Station) LookAround(ctx context.Context, c *relay.Channel) { s.lookAround(ctx, c, aroundFor) }

// LookForOthers asks this network for the channel of a source, now and then until ctx ends: there may
// be another source with its key, and the later one of the two has to go on alone.
func (s *Station) LookForOthers(ctx context.Context, c *relay.Channel) {
	for most := othersFirst; !s.cfg.Discovery.Off; most = othersFor {
		s.lookAround(ctx, c, most)
		select {
		case <-time.After(othersEvery):
		case <-ctx.Done():
			return
		}
	}
}

func (s *Station) lookAround(ctx context.Context, c *relay.Channel, most time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tried := make(map[string]bool)
	_, _ = s.cfg.Discovery.Finder(s.log).Run(ctx, func(f discovery.Found) { // without a network there is nothing to find
		if f.ID == c.ID() && f.State != discovery.Lost && !tried[f.Addr.String()] && len(tried) < lan.MaxSeenAddrs {
			tried[f.Addr.String()] = true
			go c.Suggest(f.Addr) // ends once the channel's goroutine has heard, or has ended
		}
	})
}
