package tree

import "time"

const (
	// improveFirst is how long after a move that it did not choose a node looks for a
	// better place, up to twice that by chance. Such a move leads to where there is room,
	// and not to where the node belongs.
	improveFirst = 4 * time.Second
	// improveMin and improveMax bound the time between two looks.
	improveMin = 15 * time.Second
	improveMax = 45 * time.Second
	// optionalEvery is the least time between two moves of a node's own choice.
	optionalEvery = 30 * time.Second
	// elderAge is how long a node must have stayed before it asks for a younger one's place.
	elderAge = 4 * time.Minute
	// maxTargets is how many nodes are asked directly, besides the root.
	maxTargets = 2
)

// improver looks for a place nearer to the root.
type improver struct {
	at      time.Time // of the next look
	on      bool      // a search for it is running
	targets []Place
	moved   time.Time // the newest move of the node's own choice
}

// lookUp begins a search for a place nearer to the root if it is time, and if there is
// one. The root says at what depth each class of nodes would be taken (Best). Gossip may
// know of another.
func (n *Node) lookUp(now time.Time) {
	m := &n.improve
	if m.on || now.Before(m.at) || n.up == nil {
		return
	}
	m.at = now.Add(improveMin + time.Duration(n.cfg.Rand.Int64N(int64(improveMax-improveMin))))
	within := n.depth() - 1
	if !n.attached() || n.up.moving() || within < 1 || now.Sub(n.up.since) < improveFirst ||
		!m.moved.IsZero() && now.Sub(m.moved) < optionalEvery {
		return
	}
	m.targets = nil
	for _, c := range n.gossip {
		if len(m.targets) < maxTargets && c.Free > 0 && c.Depth >= 0 && c.Depth+1 <= within && !n.notNow(c.Place) {
			m.targets = append(m.targets, c.Place)
		}
	}
	if b := n.best[classOf(n.cfg.Slots)]; b != NoRoom && int(b)+1 <= within && len(n.path) > 0 {
		m.targets = append(m.targets, n.path[0])
	}
	if len(m.targets) == 0 && classOf(n.cfg.Slots) > 0 && len(n.path) > 1 && now.Sub(n.cfg.Since) >= elderAge {
		m.targets = append(m.targets, n.path[len(n.path)-2]) // it may have one much younger
	}
	m.on = len(m.targets) > 0
}

// gotDeeper brings the next look forward, if there is a better place: the node got deeper
// because its parent did.
func (n *Node) gotDeeper(now time.Time) {
	soon := now.Add(improveFirst + time.Duration(n.cfg.Rand.Int64N(int64(improveFirst))))
	if b := n.best[classOf(n.cfg.Slots)]; int(b)+1 < n.depth() && soon.Before(n.improve.at) {
		n.improve.at = soon
	}
}

// within is the deepest place that is of use to a node that wants to get nearer to the root.
func (n *Node) within() int { return max(1, n.depth()-1) }
