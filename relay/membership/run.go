package membership

import (
	"context"
	"io"
	"log"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hashicorp/memberlist"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"relay/tree"
)

// How the library is set up. In each gossipInterval a member sends at most gossipNodes
// packets of packetSize, and its probes send about two packets a second. Together that is
// some 20 kb/s, which bounds what a storm of changes can cost.
const (
	probeInterval    = time.Second
	probeTimeout     = 500 * time.Millisecond
	gossipInterval   = 500 * time.Millisecond
	gossipNodes      = 1
	retransmitMult   = 3
	suspicionMult    = 4
	pushPullInterval = 60 * time.Second // times log2(members / 32) above 32
	deadTime         = 30 * time.Second
	reclaimTime      = time.Second
	handoffQueue     = 256
)

const (
	// lookInterval is how often a member looks whether anything is to be done.
	lookInterval = time.Second
	// joinFirst and joinMost bound the pause between attempts to join, doubling.
	joinFirst = time.Second
	joinMost  = time.Minute
	// joinAtOnce is how many seeds one attempt asks.
	joinAtOnce = 3
	// healInterval is how often a member looks for a seed of which gossip does not tell, and
	// joins through it: after a partition the two halves have given each other up. Each
	// seed that was asked is left alone for about healAvoid.
	healInterval = 15 * time.Second
	healAvoid    = 5 * time.Minute
	// majorLeast and minorLeast are the least time between two changes of a node's
	// metadata. majorPer and minorPer are added for each member, since every member sends
	// each change on. A change of the depth is a major one, and so is a change between no
	// free slot and some.
	majorLeast = 2 * time.Second
	majorPer   = time.Second
	minorLeast = 20 * time.Second
	minorPer   = 2500 * time.Millisecond
	// A member that knows others and hears nothing for deafTime concludes that nobody can
	// reach it, and stays away for deafPause.
	deafTime  = 30 * time.Second
	deafPause = 10 * time.Minute
	// overPause is how long a member stays away that left because there were too many.
	overPause = 5 * time.Minute
	// leaveTime bounds the good-bye of a member. movedTime is for one whose address has
	// changed, which is in no hurry.
	leaveTime = 600 * time.Millisecond
	movedTime = 3 * time.Second
	// movedPause is how long such a member waits before it comes again, so that its
	// good-bye gets around: several rounds of gossip.
	movedPause = 5 * time.Second
)

// ended says why a session as a member ended.
type ended string

const (
	endedDone    ended = "the node leaves"
	endedMoved   ended = "the node's address has changed"
	endedDeaf    ended = "nobody can reach this node"
	endedOver    ended = "there are too many members"
	endedFailure ended = "memberlist does not start"
)

// Run takes part in the gossip until ctx ends. It begins when the node has an address and a
// place in the tree, unless there are too many members already.
func (c *Cluster) Run(ctx context.Context) error {
	var pause <-chan time.Time
	for ctx.Err() == nil {
		if pause == nil && c.wanted() {
			why := c.takePart(ctx)
			c.log.Debug("no member any more", zap.String("why", string(why)))
			switch why {
			case endedDeaf:
				pause = time.After(jittered(deafPause))
			case endedMoved: // otherwise some would hear of the new address first, and refuse it
				pause = time.After(movedPause)
			case endedOver:
				pause = time.After(jittered(overPause))
			case endedFailure:
				pause = time.After(jittered(joinMost))
			}
			continue
		}
		select {
		case <-ctx.Done():
		case <-pause:
			pause = nil
		case <-c.changed:
		}
	}
	return nil
}

// jittered returns a time from d/2 to d.
func jittered(d time.Duration) time.Duration { return d/2 + rand.N(d/2) }

// wanted reports whether the node can be a member now.
func (c *Cluster) wanted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.self.Addrs) > 0 && c.self.Depth >= 0 && (c.cfg.Root || c.others >= 0 && c.others < c.cfg.Max)
}

func (c *Cluster) config(t *transport) *memberlist.Config {
	a := c.address()
	cfg := memberlist.DefaultLANConfig()
	cfg.Name = c.name
	cfg.Transport = t
	cfg.BindPort, cfg.AdvertisePort = int(a.Port()), int(a.Port())
	cfg.TCPTimeout = streamTime
	cfg.ProbeInterval, cfg.ProbeTimeout = probeInterval, probeTimeout
	cfg.GossipInterval, cfg.GossipNodes = gossipInterval, gossipNodes
	cfg.RetransmitMult, cfg.SuspicionMult = retransmitMult, suspicionMult
	cfg.PushPullInterval = pushPullInterval
	cfg.GossipToTheDeadTime, cfg.DeadNodeReclaimTime = deadTime, reclaimTime
	cfg.EnableCompression = false
	cfg.UDPBufferSize = packetSize
	cfg.HandoffQueueDepth = handoffQueue
	cfg.Delegate, cfg.Alive, cfg.Events = c, c.view, c.view.begin()
	cfg.Logger = quiet(c.log)
	return cfg
}

// quiet makes memberlist's logger. All that it logs is for debugging, and names from the
// network stay on their line.
func quiet(to *zap.Logger) *log.Logger {
	l, err := zap.NewStdLogAt(to, zapcore.DebugLevel)
	if err != nil { // not for this level
		return log.New(io.Discard, "", 0)
	}
	l.SetOutput(printable{l.Writer()})
	return l
}

// join asks seeds for all that they know, and then those who were members when this node
// was one last: the root has nobody else to ask, and its members do not know where it is now.
func (c *Cluster) join(ctx context.Context, list *memberlist.Memberlist) {
	for i, p := range append(c.cfg.Seeds(ctx), c.former...) {
		if i == joinAtOnce || ctx.Err() != nil || c.view.len() > 0 {
			return
		}
		c.joinThrough(list, p)
	}
}

// joinThrough joins through one node, and reports whether it answered.
func (c *Cluster) joinThrough(list *memberlist.Memberlist, p tree.Place) bool {
	if p.ID.String() == c.name {
		return false
	}
	for _, a := range p.Addrs {
		at := a.String()
		if !p.ID.IsZero() {
			at = p.ID.String() + "/" + at
		}
		if n, err := list.Join([]string{at}); n > 0 {
			return true
		} else if err != nil {
			c.log.Debug("join", zap.Stringer("through", a), zap.String("error", oneLine(err.Error())))
		}
	}
	return false
}

// stale reports whether the metadata, which was signed so long ago, has to be signed anew.
func (c *Cluster) stale(age time.Duration) bool {
	n := time.Duration(c.view.len())
	_, heard := c.view.since()
	c.mu.Lock()
	defer c.mu.Unlock()
	major := c.self.Depth != c.said.Depth || (c.self.Free > 0) != (c.said.Free > 0) || heard > c.told || !slices.Equal(c.self.Addrs, c.said.Addrs)
	minor := c.self.Free != c.said.Free || c.self.Slots != c.said.Slots
	return major && age >= majorLeast+n*majorPer || minor && age >= minorLeast+n*minorPer
}

// moved reports whether gossip has to reach the node at another address than it has told: at
// the first one. A change of the others is told like any other change.
func (c *Cluster) moved() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.self.Addrs) == 0 || c.self.Addrs[0] != c.said.Addrs[0]
}

func (c *Cluster) deaf(now time.Time) bool {
	filled, _ := c.view.since()
	if c.cfg.Root || c.view.len() == 0 || now.Sub(filled) < deafTime {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return now.Sub(c.inbound) >= deafTime
}

// over reports whether this node leaves because there are too many. Each node does so with
// the same chance, so that about as many stay as may.
func (c *Cluster) over() bool {
	n := c.view.len() + 1
	return !c.cfg.Root && n > c.cfg.Max && rand.IntN(n) < n-c.cfg.Max
}
