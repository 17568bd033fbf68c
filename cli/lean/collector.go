package lean

import (
	"runtime"
	"runtime/debug"
	"time"
)

const (
	// leastPercent and mostPercent bound what may become garbage before the next collection, in percent of
	// what is in use. The runtime begins with the most.
	leastPercent = 3
	mostPercent  = 100
	// often is how soon after the last a collection comes too soon: it takes some milliseconds of a
	// processor. With 1 s, 50 viewers took a tenth more than at the pace of the runtime. Later than seldom, it takes next to nothing.
	often  = 2 * time.Second
	seldom = 5 * time.Second
)

// collector sets how much may become garbage by how often that is collected. It belongs to the runtime's
// goroutine for finalizers.
type collector struct {
	now     func() time.Time
	set     func(percent int)
	percent int
	last    time.Time // when it was collected
}

func newCollector(now time.Time) *collector {
	return &collector{now: time.Now, set: func(p int) { debug.SetGCPercent(p) }, percent: mostPercent, last: now}
}

// sentinel is garbage from the beginning, so that the next collection finds it. It has a pointer, since
// what has none may share its memory with what lives on.
type sentinel struct{ _ *byte }

// watch has the collector told of each collection.
func (c *collector) watch() {
	runtime.SetFinalizer(&sentinel{}, func(*sentinel) {
		c.watch()
		if was := c.percent; c.collected(c.now()) != was {
			c.set(c.percent)
		}
	})
}

// collected notes a collection, and returns the percentage that is right now.
func (c *collector) collected(now time.Time) int {
	since := now.Sub(c.last)
	c.last = now
	switch {
	case since < often:
		c.percent = min(2*c.percent, mostPercent)
	case since > seldom:
		c.percent = max(c.percent/2, leastPercent)
	}
	return c.percent
}
