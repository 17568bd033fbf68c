package cli

import (
	"context"
	"time"

	"relay/cli/lan"
	"relay/relay/discovery"
)

const (
	// aroundAfter is how long a node may have no parent before its own network is asked
	// for the channel: a tree that repairs itself takes less.
	aroundAfter = time.Second
	// aroundFor is how long one such search lasts, and aroundEvery is the pause between two.
	aroundFor   = time.Second
	aroundEvery = 10 * time.Second
)

// lookAround asks this network for the channel while there is no parent, until ctx
// ends. The address in a link may be out of use, or unreachable from inside the home network it
// leads to. A source may also come back with another address.
func (w *watch) lookAround(ctx context.Context) {
	tick := time.NewTicker(aroundAfter / 2)
	defer tick.Stop()
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if w.joining.Alone(now) < aroundAfter || now.Sub(last) < aroundEvery {
				continue
			}
			w.around(ctx)
			last = time.Now()
		}
	}
}

// around asks once, and suggests to the channel the nodes that know a way to the source.
func (w *watch) around(ctx context.Context) {
	id := w.channel.ID()
	ctx, cancel := context.WithTimeout(ctx, aroundFor)
	defer cancel()
	tried := make(map[string]bool)
	_, _ = w.plan.station.Discovery.Finder(w.log).Run(ctx, func(f discovery.Found) { // without a network there is nothing to find
		if f.ID == id && f.State != discovery.Lost && !tried[f.Addr.String()] && len(tried) < lan.MaxSeenAddrs {
			tried[f.Addr.String()] = true
			w.channel.Suggest(f.Addr)
		}
	})
}
