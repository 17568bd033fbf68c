//go:build e2e && linux

package netns

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	// quietFor is how long the swarm is watched before each fault.
	quietFor = 1500 * time.Millisecond
	// moveWithin is how long the nodes below may take to be fed by others.
	moveWithin = 20 * time.Second
	// longestPause bounds how long any player may be without data in a fault that costs no
	// tags. A longer pause means that something is broken. How fast things ought to be is for
	// make netns to measure.
	longestPause = 10 * time.Second
)

// episode is one fault and what came of it.
type episode struct {
	swarm  *swarm
	fault  fault
	victim *node   // nil if it is the network or the source
	below  []*node // nodes that lose their parent or an ancestor to the fault
	rest   []*node // watchers whom it does not concern
	cut    []*node // nodes that nothing can reach any more
	rate   float64 // bit/s that the victim sends

	before         shape
	struck, mended time.Time
	moved          map[*node]time.Duration // until the node was fed without the victim
	moveErr        error
	back           time.Duration // from mending until all were fed, also the victim and those cut off

	normal time.Duration // the longest time between two tags before the fault, at the median player
	quiet  time.Duration // the same, at the worst
	encode time.Duration // the longest at the source, during it
	stall  time.Duration // the longest that this process itself was held up, before and during it
	seen   map[*node]sight
}

// sight is what one player saw.
type sight struct {
	pause time.Duration // the longest time without a tag, from the fault to its end
	late  time.Duration // the longest time that a tag came after the source's own player had it, less the usual
	after time.Duration // the same, from there until all was well
	moves int           // how often the node got another parent
	faults
}

// run runs an episode. count is how many episodes of this fault there were before.
func (s *swarm) run(t *testing.T, f fault, rng *rand.Rand, count int) *episode {
	t.Helper()
	e := &episode{swarm: s, fault: f, seen: make(map[*node]sight)}
	s.settle(t)
	for _, n := range s.nodes {
		n.player.forget()
	}
	stalled := watchdog()
	from := time.Now()
	sent := make(map[*node]int)
	for _, n := range s.watchers() {
		sent[n] = n.sent(t)
	}
	pass(t, quietFor)
	calm := time.Now()
	s.read(t)
	e.calm(from, calm)

	moves := s.moves(t)
	e.before = s.shape(t) // as late as can be: the tree reshapes itself
	e.choose(t, rng)
	e.struck = time.Now()
	if e.victim != nil {
		e.rate = float64(e.victim.sent(t)-sent[e.victim]) * 8 / e.struck.Sub(from).Seconds()
	}
	f.strike(t, e, count)
	gone := e.cut
	if e.victim != nil {
		gone = []*node{e.victim}
	}
	e.moved, e.moveErr = s.reattached(t, e.below, gone, e.struck, moveTime(f))
	if left := f.hold - time.Since(e.struck); left > 0 {
		pass(t, left)
	}
	e.mended = time.Now()
	if f.mend != nil {
		f.mend(t, e, count)
	}
	for _, n := range s.nodes {
		s.attached(t, n)
	}
	e.back = time.Since(e.mended)
	s.caughtUp(t)
	end := time.Now()
	e.encode = s.source().player.pause(e.struck, end)
	e.stall = stalled()
	total := s.moves(t)
	for _, n := range s.watchers() {
		p, root := n.player, &s.source().player.tape
		late := quantile(p.lags(root, e.struck, e.mended), 1) - quantile(p.lags(root, from, e.struck), 0.5)
		e.seen[n] = sight{p.pause(e.struck, e.mended), late, p.pause(e.mended, end), total[n] - moves[n], p.faults}
	}
	e.judge(t)
	return e
}

func moveTime(f fault) time.Duration {
	if f.stays {
		return f.hold
	}
	return moveWithin
}

// choose picks a victim and notes which nodes its fault concerns.
func (e *episode) choose(t *testing.T, rng *rand.Rand) {
	t.Helper()
	all := e.swarm.watchers()
	switch e.fault.name {
	case "calm", "restart":
		e.below = all
	case "partition":
		e.part(rng, len(all)/2)
	case "fifth":
		e.part(rng, len(all)/5)
	default:
		var inner []*node
		for _, n := range all {
			below := len(e.before.below(n))
			// A liar may hold the root's other slot. Then those below the root's only
			// honest child have no way to the stream without it, and nothing is promised.
			if below > 0 && !(e.swarm.hostile && below == len(all)-1) {
				inner = append(inner, n)
			}
		}
		if len(inner) == 0 && e.swarm.hostile {
			inner = all // a liar that has room for all has them all: nobody may miss one of them
		}
		if len(inner) == 0 {
			t.Fatalf("no watcher feeds another:\n%v", e.before)
		}
		e.victim = inner[rng.IntN(len(inner))]
		e.below = e.before.below(e.victim)
		for _, n := range all {
			if n != e.victim && !slices.Contains(e.below, n) {
				e.rest = append(e.rest, n)
			}
		}
	}
}

// part separates a number of watchers from the others.
func (e *episode) part(rng *rand.Rand, many int) {
	all := e.swarm.watchers()
	for i, k := range rng.Perm(len(all)) {
		if i < many {
			e.cut = append(e.cut, all[k])
		}
	}
	for _, n := range all {
		switch {
		case slices.Contains(e.cut, n):
		case slices.ContainsFunc(e.before.path[n], func(up *node) bool { return slices.Contains(e.cut, up) }):
			e.below = append(e.below, n)
		default:
			e.rest = append(e.rest, n)
		}
	}
}

// calm records how the swarm was doing before the fault.
func (e *episode) calm(from, to time.Time) {
	var all []time.Duration
	for _, n := range e.swarm.watchers() {
		all = append(all, n.player.pause(from, to))
	}
	e.normal, e.quiet = quantile(all, 0.5), quantile(all, 1)
}

// judge says in one line what happened, and what was wrong with it, if anything.
func (e *episode) judge(t *testing.T) {
	t.Helper()
	name := "the network"
	if e.victim != nil {
		name = fmt.Sprintf("%s (depth %d)", e.victim.name, len(e.before.path[e.victim]))
	}
	var moved, pause, late, rest, after time.Duration
	for _, d := range e.moved {
		moved = max(moved, d)
	}
	for _, n := range e.below {
		pause = max(pause, e.seen[n].pause)
		late = max(late, e.seen[n].late)
	}
	for _, n := range e.rest {
		rest = max(rest, e.seen[n].pause)
	}
	for _, n := range slices.Concat(e.rest, e.below) {
		after = max(after, e.seen[n].after)
	}
	moves := 0
	for _, n := range slices.Concat(e.below, e.rest) {
		moves = max(moves, e.seen[n].moves)
	}
	t.Logf("%s %s at %s: %d below, tree %d deep; %d fed again after %d ms, all %d ms after mending; %d moves of a node; without data: below %d ms (late %d ms), others %d ms, source %d ms, after mending %d ms, before the fault %d ms; machine %d ms",
		e.fault.name, name, e.struck.Format("15:04:05.000"), len(e.below), e.before.depth, len(e.moved), moved.Milliseconds(), e.back.Milliseconds(), moves, pause.Milliseconds(), late.Milliseconds(), rest.Milliseconds(), e.encode.Milliseconds(),
		after.Milliseconds(), e.quiet.Milliseconds(), e.stall.Milliseconds())
	bad := e.moveErr != nil && !e.fault.stays
	if bad {
		t.Errorf("%s: not fed within %v: %v", e.fault.name, moveWithin, e.moveErr)
	}
	if e.fault.lossless && max(pause, rest) > longestPause {
		t.Errorf("%s: a player was without data for %v", e.fault.name, max(pause, rest))
		bad = true
	}
	for _, n := range e.swarm.watchers() {
		got := e.seen[n]
		if !got.any() {
			continue
		}
		if slices.Contains(e.cut, n) && got.alien+got.repeated == 0 {
			continue // counted below
		}
		say := t.Logf
		if got.alien > 0 || e.fault.lossless || slices.Contains(e.rest, n) {
			say, bad = t.Errorf, true
		}
		say("%s: %s, %s: lost %d tags, got %d twice, %d that are none of the source's, %d left behind, %d missed at the beginning: %s",
			e.fault.name, n.name, e.role(n), got.lost, got.repeated, got.alien, got.cut, got.missed, strings.Join(got.notes, "; "))
	}
	if len(e.cut) > 0 {
		var lost []int
		for _, n := range e.cut {
			lost = append(lost, e.seen[n].lost)
		}
		t.Logf("those cut off lost %d tags", lost)
	}
	if bad {
		t.Logf("mended at %s; the tree was\n%v", e.mended.Format("15:04:05.000"), e.before)
	}
}

// role says where in the tree a node was.
func (e *episode) role(n *node) string {
	switch {
	case n == e.victim:
		return "the victim"
	case slices.Contains(e.cut, n):
		return "cut off"
	case slices.Contains(e.below, n):
		return "below"
	}
	return "not concerned"
}
