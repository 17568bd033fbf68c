package cli

import (
	"context"
	"time"
)

const (
	// aroundAfter is how long a node may have no parent before its own network is asked
	// for the channel: a tree that repairs itself takes less.
	aroundAfter = time.Second
	// aroundEvery is the pause between two such searches.
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
			w.station.LookAround(ctx, w.channel)
			last = time.Now()
		}
	}
}
