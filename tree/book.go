package tree

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// rank orders the places a node may ask; lower is asked first.
type rank uint8

const (
	rankReferred    rank = iota // named by a node that was just asked
	rankGrandparent             // its slot is the one the dead parent held
	rankOther                   // named by the parent in its welcome
	rankPath                    // the other ancestors: shallow, but everyone asks them
	rankSeed                    // from the invite
	rankHint                    // from gossip, or known from before
	ranks
)

const (
	// maxBook bounds the places remembered. Seeds are not dropped.
	maxBook = 256
	// avoidFirst is how long a place that failed is left alone. The time doubles with each
	// failure up to avoidMost: a machine that reboots is asked soon after, and one that is
	// gone costs a dial every few seconds.
	avoidFirst = 250 * time.Millisecond
	avoidMost  = 10 * time.Second
	// distrustTime is how long a node is left alone that misled this one: a parent whose
	// label nobody else could match, or that was too slow, or a node that named dead
	// places. It may be honest and have been misled itself.
	distrustTime = 1 * time.Minute
	// carriedFor is how long a node that has referred this one carries its calls.
	carriedFor = 5 * time.Second
	// maxNamedDead is how many places in a row a node may name that turn out to be dead.
	maxNamedDead = 4
	// shunTime is how long a place that broke the rules is left alone.
	shunTime = 10 * time.Minute
)

// bookEntry is one place. There are up to maxBook, most of which are never asked, so that it is kept
// small: what came of asking is apart.
type bookEntry struct {
	place     Place
	*dealings        // noDealings if there were none; to be changed by way of deal
	by        uint64 // the mark of the node that named it last, in a referral
	order     uint16 // among equals of one source, as it ordered them
	rank      rank
	hops      uint8 // referrals followed to get here
	seed      bool  // from the invite: it stays, and gets its rank back
	tried     bool  // in this round
	out       bool  // left out of this round, unless somebody names it
}

// dealings are what came of asking a place, and of asking those that it named.
type dealings struct {
	avoid     time.Time
	alone     time.Time // it is asked for no standby link before
	through   ID        // the node that carries a call to it; zero if it is dialled
	marked    time.Time // when that was said; zero if it did not carry the last call
	fails     uint16
	namedDead uint16 // dead places in a row that it named itself
	away      bool   // the last call did not get through
}

// noDealings is shared by all places that nothing is known of. It is never changed.
var noDealings = new(dealings)

// deal returns what is known of a place for it to be changed.
func (e *bookEntry) deal() *dealings {
	if e.dealings == noDealings {
		e.dealings = new(dealings)
	}
	return e.dealings
}

// book holds the places a node knows, and what came of asking them.
type book struct {
	entries []*bookEntry
	marks   []uint64 // of their IDs: a place is looked for more often than anything else is done
	rand    *rand.Rand
}

// markOf is a part of an ID that seldom is another's too, and 0 if there is no ID.
func markOf(id ID) uint64 { return binary.LittleEndian.Uint64(id[:]) }

// put remembers one more place.
func (b *book) put(e *bookEntry) {
	e.dealings = noDealings
	b.entries, b.marks = append(b.entries, e), append(b.marks, markOf(e.place.ID))
}

// offered remembers a node that need not be dialled, though no address of it may be known. It may
// be asked at once, unless it broke the rules or misled this node.
func (b *book) offered(now time.Time, p Place, r rank) {
	e := b.find(p)
	if e == nil {
		if len(b.entries) >= maxBook && !b.drop() {
			return
		}
		e = &bookEntry{place: p, rank: r}
		b.put(e)
	}
	if r < e.rank || r == rankReferred {
		e.rank, e.order, e.hops, e.out = r, 0, 0, false
	}
	e.forgive(now)
}

// marked is the place with that mark, nil if there is none.
func (b *book) marked(mark uint64) *bookEntry {
	if i := slices.Index(b.marks, mark); i >= 0 && mark != 0 {
		return b.entries[i]
	}
	return nil
}

func (b *book) find(p Place) *bookEntry {
	mark := markOf(p.ID)
	for i, m := range b.marks {
		if m != mark && m != 0 && mark != 0 { // both have an ID, and not the same
			continue
		}
		if e := b.entries[i]; e.place.same(p) {
			return e
		}
	}
	return nil
}

// add remembers places of one source. A place that is known already keeps the better
// rank.
func (b *book) add(places []Place, r rank, hops int) {
	for i, p := range places {
		if len(p.Addrs) == 0 {
			continue
		}
		e := b.find(p)
		if e == nil {
			if len(b.entries) >= maxBook && !b.drop() {
				return
			}
			b.put(&bookEntry{place: p, seed: r == rankSeed, rank: r, order: uint16(i), hops: uint8(hops)})
			continue
		}
		e.seed = e.seed || r == rankSeed
		if r == rankReferred || r < e.rank {
			e.rank, e.order, e.hops, e.out = r, uint16(i), uint8(hops), false // tried stays: nobody is asked twice in a round
		}
		// New addresses go behind the known ones: a liar must not be able to take a good
		// address away.
		for _, a := range p.Addrs {
			if len(e.place.Addrs) < MaxAddrs && !slices.Contains(e.place.Addrs, a) {
				e.place.Addrs = append(slices.Clip(e.place.Addrs), a)
			}
		}
	}
}

// drop forgets the least useful place.
func (b *book) drop() bool {
	worst := -1
	for i, e := range b.entries {
		if e.seed {
			continue
		}
		if worst < 0 || e.fails > b.entries[worst].fails || e.fails == b.entries[worst].fails && e.rank > b.entries[worst].rank {
			worst = i
		}
	}
	if worst < 0 {
		return false
	}
	b.entries, b.marks = slices.Delete(b.entries, worst, worst+1), slices.Delete(b.marks, worst, worst+1)
	return true
}

// round begins a round of a search: every place may be asked once more. Those that
// referrals of the round before named count as hints.
func (b *book) round() {
	for _, e := range b.entries {
		e.tried, e.out, e.hops = false, false, 0
		if e.rank == rankReferred {
			e.rank = rankHint
			if e.seed {
				e.rank = rankSeed
			}
		}
	}
}

// next returns the best place to ask now, nil if there is none.
func (b *book) next(now time.Time, skip func(*bookEntry) bool) *bookEntry {
	var best *bookEntry
	ties := 0
	for _, e := range b.entries {
		if e.tried || e.out || now.Before(e.avoid) || skip(e) {
			continue
		}
		switch {
		case best == nil || e.rank < best.rank || e.rank == best.rank && e.order < best.order:
			best, ties = e, 1
		case e.rank == best.rank && e.order == best.order:
			ties++
			if b.rand.IntN(ties) == 0 { // so that each of the equals has the same chance
				best = e
			}
		}
	}
	return best
}

// failed leaves a place alone for a while, if the reason says that it is dead or broke
// the rules.
func (b *book) failed(now time.Time, p Place, r Reason) {
	e := b.find(p)
	if e == nil {
		return
	}
	switch r {
	case ReasonForged, ReasonProtocol:
		e.deal().avoid = now.Add(shunTime)
		return
	case ReasonFull, ReasonBusy, ReasonOrphan, ReasonNotNeeded, ReasonMoved, ReasonDisplaced:
		return // it lives: a later search may ask again
	}
	b.blame(now, e.by)
	e.by = 0 // the node that named it is blamed once
	d := e.deal()
	d.fails += 1 - d.fails/math.MaxUint16 // it does not overflow
	d.avoid = now.Add(min(avoidFirst<<min(d.fails-1, 10), avoidMost))
}

// named reports whether a place was just named by a node that cannot serve this one.
func (b *book) named(p Place) bool {
	e := b.find(p)
	return e != nil && e.rank == rankReferred
}

// namedBy notes who named places that were just added.
func (b *book) namedBy(places []Place, by ID) {
	for _, p := range places {
		if e := b.find(p); e != nil && !e.place.same(Place{ID: by}) {
			e.by = markOf(by)
		}
	}
}

// missed leaves a place alone for a while to which a call by way of a node did not get through, as one of
// three does not. Nobody is to blame. One of the invite is dialled next: who says that it has to be called
// may be wrong. Where another node carries calls to it by now, that way has not been tried.
func (b *book) missed(now time.Time, p Place, by ID) {
	e := b.find(p)
	if e == nil || !e.through.IsZero() && e.through != by {
		return
	}
	d := e.deal()
	d.fails += 1 - d.fails/math.MaxUint16
	if e.seed {
		d.through, d.avoid = ID{}, now.Add(avoidFirst)
		return
	}
	d.avoid, d.away = now.Add(distrustTime), true
}

// uncalled leaves a place alone until somebody carries calls to it, as the node that was to carry one has not: nothing
// is known of the way itself, nor of this node's router.
func (b *book) uncalled(now time.Time, p Place, by ID) {
	e := b.find(p)
	if e == nil || e.through != by { // another node carries calls to it by now
		return
	}
	d := e.deal()
	d.fails += 1 - d.fails/math.MaxUint16
	d.avoid, d.marked = now.Add(min(avoidFirst<<min(d.fails-1, 10), avoidMost)), time.Time{}
	if e.seed {
		d.through, d.avoid = ID{}, now.Add(avoidFirst)
	}
}

// allAway reports whether there are places that are called, and the last call got through to none.
func (b *book) allAway(now time.Time) bool {
	called := false
	for _, e := range b.entries {
		if e.through.IsZero() {
			continue
		}
		if !e.away || !now.Before(e.avoid) {
			return false
		}
		called = true
	}
	return called
}

// mark notes which of the places that a node has just named are called through it.
func (b *book) mark(now time.Time, places []Place, called Marks, by ID) {
	for i, p := range places {
		e := b.find(p)
		switch {
		case e == nil:
		case !called.Has(i):
			if !e.through.IsZero() {
				e.through = ID{}
			}
		case e.through != by && (e.away || !e.through.IsZero() && e.marked.IsZero()): // another way to it may be better
			e.fails, e.avoid, e.away = 0, time.Time{}, false
			fallthrough
		default:
			d := e.deal()
			d.through, d.marked = by, now
		}
	}
}

// through is the node that carries a call to a place, zero if it is dialled.
func (b *book) through(p Place) ID {
	if e := b.find(p); e != nil {
		return e.through
	}
	return ID{}
}

// blame counts a dead place against the node that named it. A node that names one after
// the other is left alone.
func (b *book) blame(now time.Time, by uint64) {
	if e := b.marked(by); e != nil {
		d := e.deal()
		if d.namedDead++; d.namedDead >= maxNamedDead {
			d.namedDead, d.avoid = 0, now.Add(distrustTime)
		}
	}
}

// seeds returns up to n places of the invite.
func (b *book) seeds(n int) []Place {
	var ps []Place
	for _, e := range b.entries {
		if e.seed && len(ps) < n {
			ps = append(ps, e.place)
		}
	}
	return ps
}

// only lets nobody be asked in this round but these places, and those that they name.
func (b *book) only(places []Place) {
	for _, e := range b.entries {
		e.out = true
	}
	b.add(places, rankReferred, 0)
}

// noStandby says that a place is not to be asked for a standby link until then.
func (b *book) noStandby(p Place, until time.Time) {
	if e := b.find(p); e != nil {
		e.deal().alone = until
	}
}

// mayStandby reports whether a place may be asked for a standby link.
func (b *book) mayStandby(now time.Time, p Place) bool {
	e := b.find(p)
	return e == nil || !now.Before(e.alone) && !now.Before(e.avoid)
}

// avoid leaves a place alone until then.
func (b *book) avoid(p Place, until time.Time) {
	if e := b.find(p); e != nil {
		e.deal().avoid = until
	}
}

// mistrust is avoid for a place that could not prove where it is, unless it is of the invite.
func (b *book) mistrust(p Place, until time.Time) {
	if e := b.find(p); e != nil && !e.seed {
		e.deal().avoid = until
	}
}

// worked forgets a place's failures, and clears the node that named it.
func (b *book) worked(p Place) {
	if e := b.find(p); e != nil {
		if e.dealings != noDealings {
			e.fails, e.avoid, e.away = 0, time.Time{}, false
		}
		if by := b.marked(e.by); by != nil && by.namedDead > 0 {
			by.namedDead = 0
		}
	}
}

// forget drops a place that turned out to be the node itself.
func (b *book) forget(p Place) {
	b.entries = slices.DeleteFunc(b.entries, func(e *bookEntry) bool { return e.place.same(p) })
	b.marks = b.marks[:0]
	for _, e := range b.entries {
		b.marks = append(b.marks, markOf(e.place.ID))
	}
}

// forgive forgets the failures of places that could not be reached. Places that broke the
// rules or misled this node are left alone for as long as was meant.
func (b *book) forgive(now time.Time) {
	for _, e := range b.entries {
		e.forgive(now)
	}
}

func (e *bookEntry) forgive(now time.Time) {
	if e.dealings != noDealings && e.avoid.Sub(now) <= avoidMost {
		e.fails, e.avoid = 0, time.Time{}
	}
}

// best returns up to n places that may be named to others, the most useful first.
func (b *book) best(now time.Time, n int, skip func(Place) bool) []Place {
	var ps []Place
	for r := rankReferred; r < ranks; r++ {
		for _, e := range b.entries {
			if len(ps) == n {
				return ps
			}
			if e.rank == r && e.fails == 0 && len(e.place.Addrs) > 0 && !now.Before(e.avoid) && !e.place.ID.IsZero() && !skip(e.place) {
				ps = append(ps, e.place)
			}
		}
	}
	return ps
}
