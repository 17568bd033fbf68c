//go:build e2e && linux

package netns

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

// fault is something that happens to a node, or to the network.
type fault struct {
	name string
	// strike does it, and mend undoes it; n counts the fault's episodes, so that
	// the variants of a fault take turns.
	strike, mend func(t *testing.T, e *episode, n int)
	// hold is how long it lasts.
	hold time.Duration
	// short is how often the short run tries it.
	short int
	// stays says that the nodes below may stay where they are.
	stays bool
	// lossless says that no player may miss a tag or get one twice, not even the victim's if it
	// stays. Otherwise this holds only for players that the fault does not concern.
	lossless bool
}

const (
	// outlast is longer than a silent parent is given (2 s), and shorter than what a
	// ring holds.
	outlast = 4 * time.Second
	// slowFor is how long a parent stays too slow.
	slowFor = 12 * time.Second
	// slowShare is how much of what it sends a throttled parent can still send.
	slowShare = 0.7
	// calmFor is how long a swarm is left alone. A node has to wait as long after a voluntary
	// move.
	calmFor = 30 * time.Second
	// partFor is how long the network is parted: as long as a ring holds by default.
	partFor = 30 * time.Second
)

var allFaults = []fault{
	{name: "calm", strike: nothing, hold: calmFor, short: 1, stays: true, lossless: true},
	{name: "kill", strike: kill, mend: revive, hold: time.Second, short: 5, lossless: true},
	{name: "freeze", strike: freeze, mend: thaw, hold: outlast, short: 4, lossless: true},
	{name: "linkdown", strike: unplug, mend: plug, hold: outlast, short: 4, lossless: true},
	{name: "oneway", strike: oneWay, mend: heal, hold: outlast, short: 4, lossless: true},
	{name: "leave", strike: leave, mend: revive, hold: time.Second, short: 4, lossless: true},
	{name: "fifth", strike: killAll, mend: reviveAll, hold: 2 * time.Second, short: 1, lossless: true},
	{name: "slow", strike: throttle, mend: unthrottle, hold: slowFor, short: 2, stays: true},
	{name: "partition", strike: part, mend: heal, hold: partFor, short: 1},
	{name: "restart", strike: restart, hold: time.Second, short: 2},
}

// nothing leaves the swarm alone. The tree changes its shape, and no player may notice.
func nothing(*testing.T, *episode, int) {}

// kill ends a node's process at once. Unlike a power cut, this lets the kernel close the
// connections.
func kill(_ *testing.T, e *episode, _ int) { e.victim.kill() }

func revive(t *testing.T, e *episode, _ int) { e.swarm.revive(t, e.victim) }

// killAll ends a fifth of the watchers at once.
func killAll(_ *testing.T, e *episode, _ int) {
	for _, n := range e.cut {
		_ = n.process.cmd.Process.Kill() // an error says that it has ended
	}
}

func reviveAll(t *testing.T, e *episode, _ int) {
	for _, n := range e.cut {
		n.kill()
		e.swarm.revive(t, n)
	}
}

// freeze stops a node's process, while its kernel still acknowledges packets.
func freeze(t *testing.T, e *episode, _ int) { e.victim.signal(t, syscall.SIGSTOP) }

// thaw lets a frozen node go on or ends it, by turns.
func thaw(t *testing.T, e *episode, n int) {
	if n%2 == 0 {
		e.victim.signal(t, syscall.SIGCONT)
		return
	}
	e.victim.kill()
	revive(t, e, n)
}

// unplug pulls the cable, or switches the interface off, by turns. A home that is switched off would
// forget the way to its router.
func unplug(t *testing.T, e *episode, n int) {
	if n%2 == 0 || e.victim.net == nil {
		e.victim.unplug(t)
	} else {
		e.victim.down(t)
	}
}

func plug(t *testing.T, e *episode, n int) {
	if n%2 == 0 || e.victim.net == nil {
		e.victim.plug(t)
	} else {
		e.victim.up(t)
	}
}

// oneWay drops what the node sends, or what it is sent, by turns.
func oneWay(t *testing.T, e *episode, n int) {
	if n%2 == 0 {
		e.victim.silence(t)
	} else {
		e.victim.deafen(t)
	}
}

func heal(t *testing.T, e *episode, _ int) {
	switch {
	case e.swarm.net != nil:
		e.swarm.net.heal(t)
	case e.victim != nil:
		e.victim.join(t)
	default:
		e.swarm.internet.heal(t)
	}
}

func leave(t *testing.T, e *episode, _ int) {
	e.victim.signal(t, syscall.SIGINT)
	e.victim.wait(t)
}

// throttle lets the node send less than its children need.
func throttle(t *testing.T, e *episode, _ int) {
	rate := int(e.rate * slowShare)
	t.Logf("%s sends %.2f Mb/s and may send %.2f", e.victim.name, e.rate/1e6, float64(rate)/1e6)
	e.victim.throttle(t, rate)
}

func unthrottle(t *testing.T, e *episode, _ int) { e.victim.unthrottle(t) }

// part cuts half of the watchers off.
func part(t *testing.T, e *episode, _ int) {
	var far []*host
	for _, n := range e.cut {
		far = append(far, n.host)
	}
	if e.swarm.net == nil {
		e.swarm.internet.cutOff(t, far)
		return
	}
	near := []*host{e.swarm.source().host}
	for _, n := range slices.Concat(e.below, e.rest) {
		near = append(near, n.host)
	}
	e.swarm.net.cut(t, near, far)
}

// restart ends the source and starts it again: another epoch of the same channel.
func restart(t *testing.T, e *episode, _ int) {
	s := e.swarm
	s.encoder.kill()
	s.source().kill()
	s.source().player.quit()
	s.startSource(t)
	s.attached(t, s.source())
	s.source().player = s.source().play(t, "player at source", s.source().url)
}
