package tree

import "time"

const (
	// improveFirst is how long after its first parent a node looks for a better place,
	// doubled by chance: newcomers are put where there is room, not where they belong.
	improveFirst = 4 * time.Second
	// improveMin and improveMax bound the time between two looks.
	improveMin = 15 * time.Second
	improveMax = 45 * time.Second
	// dwell is how long a node stays after a move of any kind.
	dwell = 10 * time.Second
	// optionalEvery is the least time between two moves that nothing forced.
	optionalEvery = 30 * time.Second
	// maxTargets is how many nodes are asked directly, besides the root.
	maxTargets = 2
)

// improver looks for a place nearer to the root.
type improver struct {
	at      time.Time // of the next look
	on      bool      // a search for it is running
	targets []Place
	moved   time.Time // the newest move of one's own choice
}

// lookUp begins a search for a better place if it is time, and if there is one. The
// root says at what depth each class of nodes would be taken (Best); gossip may know
// of another.
func (n *Node) lookUp(now time.Time) {
	m := &n.improve
	if m.on || now.Before(m.at) || n.up == nil {
		return
	}
	m.at = now.Add(improveMin + time.Duration(n.cfg.Rand.Int64N(int64(improveMax-improveMin))))
	within := n.depth() - 1
	if !n.attached() || n.up.moving() || within < 1 || now.Sub(n.up.since) < dwell && !n.up.first ||
		!m.moved.IsZero() && now.Sub(m.moved) < optionalEvery {
		return
	}
	m.targets = nil
	for _, c := range n.ready.others {
		if len(m.targets) < maxTargets && c.Free > 0 && c.Depth >= 0 && c.Depth+1 <= within && !n.notNow(c.Place) {
			m.targets = append(m.targets, c.Place)
		}
	}
	if b := n.best[classOf(n.cfg.Slots)]; b != NoRoom && int(b)+1 <= within && len(n.path) > 0 {
		m.targets = append(m.targets, n.path[0])
	}
	m.on = len(m.targets) > 0
}

// within is the deepest place of use to a node that only wants to get nearer.
func (n *Node) within() int { return max(1, n.depth()-1) }
