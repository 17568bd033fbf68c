package relay

import (
	"sync/atomic"
	"time"

	"relay/tree"
)

const (
	// awaitAfter is after what silence the channel's goroutine is woken by the next bytes. Until then it
	// looks by itself, before the tree could take the link for silent (150 ms): to be woken for each
	// chunk took a quarter of what a node costs that only watches.
	awaitAfter = 100 * time.Millisecond
	// heardEvery bounds how often it is woken.
	heardEvery = 20 * time.Millisecond
)

// pulse is when bytes last came over an uplink.
type pulse struct {
	link    tree.Link
	started time.Time // at is counted from here

	at      atomic.Int64 // nanoseconds
	awaited atomic.Bool  // the channel's goroutine wants to be woken
	woken   time.Time    // when it was; owned by the reader

	told int64 // what the tree has heard of; owned by the channel's goroutine
}

// beat notes that bytes have come. If the channel's goroutine waits for that and is behind, it is not
// told: the next bytes will say the same.
func (p *pulse) beat(events chan<- tree.Event) {
	now := time.Now()
	p.at.Store(int64(now.Sub(p.started)))
	if !p.awaited.Load() || now.Sub(p.woken) < heardEvery {
		return
	}
	p.woken = now
	select {
	case events <- tree.Heard{Link: p.link}:
	default:
	}
}

// heard returns when bytes last came, if that was not asked before. It is asked whenever the channel's
// goroutine is awake; bytes that come later wake it if it has been told of none for long.
func (p *pulse) heard(now time.Time) (at time.Time, ok bool) {
	silent := func() bool { return now.Sub(p.started)-time.Duration(p.told) >= awaitAfter }
	p.awaited.Store(silent())
	ns := p.at.Load() // behind that, so that bytes that come in between are not missed
	if ns == p.told {
		return at, false
	}
	p.told = ns
	p.awaited.Store(silent())
	return p.started.Add(time.Duration(ns)), true
}

// listen tells the tree of links over which bytes have come.
func (c *Channel) listen() {
	for num, u := range c.up { // in any order
		now := time.Now()
		if at, ok := u.pulse.heard(now); ok {
			c.tree.Handle(now, tree.Heard{Link: num, At: at})
		}
	}
}
