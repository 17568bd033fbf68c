package tree

import "time"

// watchLag notices a parent that looks alive and does not deliver.
func (n *Node) watchLag(now time.Time) {
	if n.up == nil || !n.up.told {
		n.late.pause()
		return
	}
	n.late.watch(now, lags{
		own: n.lag, parent: n.up.lag, depth: n.depth(),
		heartbeat: n.times.heartbeat, rtt: n.clock.rtt, flows: n.flows,
	})
}

// faster reports whether a place with that lag would be a gain.
func (n *Node) faster(lag time.Duration) bool { return lag+lagGain < n.lag }
