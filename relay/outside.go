package relay

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"relay/tree"
)

const (
	// sightingsMost is how many parents' words are kept, the newest.
	sightingsMost = 8
	// missesMost is how many calls in a row over one family, with different nodes, may not get
	// through before what one proved is forgotten, and if nothing was proved, this node makes and
	// answers none for callsPause.
	missesMost = 4
	callsPause = 10 * time.Minute
	// missesFrom is how many of those one node in between counts for that has asked for them, when it
	// comes to what was proved: it may have named nodes that do not exist.
	missesFrom = 2
)

// outside is how this node's router shows it to others, as far as parents tell, and whether calls
// get through to it. Nothing of it is its own claim: where two parents see one local port differs
// or not, and calls get through or not.
type outside struct {
	now func() time.Time

	mu        sync.Mutex
	sightings []sighting
	proved    [families]bool // a call got through, in this network
	missed    [families][]miss
	pausedTo  time.Time
}

// miss is a call that did not get through, since one did.
type miss struct{ with, via tree.ID }

// sighting is where one node sees a connection that leaves from a local port.
type sighting struct {
	by    tree.ID
	local netip.AddrPort
	seen  netip.AddrPort
}

// saw takes what a parent says.
func (o *outside) saw(s sighting) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sightings = slices.DeleteFunc(o.sightings, func(t sighting) bool { return t.by == s.by && familyOf(t.local.Addr()) == familyOf(s.local.Addr()) })
	if len(o.sightings) == sightingsMost {
		o.sightings = slices.Delete(o.sightings, 0, 1)
	}
	o.sightings = append(o.sightings, s)
}

// met takes what came of a call from a node that was answered, over a family, and who asked for that.
func (o *outside) met(id, via tree.ID, f family, through bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if through {
		o.proved[f] = true
		o.missed[f], o.pausedTo = nil, time.Time{}
		return
	}
	from := 0
	for _, m := range o.missed[f] {
		if m.with == id {
			return
		}
		if m.via == via {
			from++
		}
	}
	if o.proved[f] && from >= missesFrom {
		return
	}
	o.missed[f] = append(o.missed[f], miss{id, via})
	if len(o.missed[f]) < missesMost {
		return
	}
	o.missed[f] = nil
	if o.proved[f] { // once
		o.proved[f] = false
	} else if !o.provedOverAny() {
		o.pausedTo = o.now().Add(callsPause)
	}
}

// moved forgets all, in another network.
func (o *outside) moved() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sightings, o.proved, o.missed, o.pausedTo = nil, [families]bool{}, [families][]miss{}, time.Time{}
}

// keeps says whether two parents see one local port at one address: 1 if they do, -1 if they see it
// at two, 0 if there are no two that could tell. One parent may lie, as about all that it says.
func (o *outside) keeps(over ...family) int {
	for i, a := range slices.Backward(o.sightings) {
		for _, b := range slices.Backward(o.sightings[:i]) {
			if a.local != b.local || !slices.Contains(over, familyOf(a.local.Addr())) {
				continue
			}
			if a.seen.Addr() != b.seen.Addr() {
				continue // the line has got another address in between: a router's port tells nothing then
			}
			if a.seen == b.seen {
				return 1
			}
			return -1
		}
	}
	return 0
}

// can reports whether calls get through to this node, as far as is known: they are tried before
// anything is.
func (o *outside) can() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.provedOverAny() || o.keeps(ipv4, ipv6) >= 0 && !o.now().Before(o.pausedTo)
}

func (o *outside) provedOverAny() bool { return slices.Contains(o.proved[:], true) }

// judge says what follows from a trial, and from what is known of calls over its family.
func (o *outside) judge(t Trial) tree.Reach {
	o.mu.Lock()
	defer o.mu.Unlock()
	if f := familyOf(t.Addr.Addr()); t.Reach == tree.Closed && (o.proved[f] || o.keeps(f) > 0) {
		return tree.Punchable
	}
	return t.Reach
}
