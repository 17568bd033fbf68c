package treetest

import "math/rand/v2"

// Member is a host of a crowd: what it gives, and who gets through to it.
type Member struct {
	Slots int
	Kind  Kind
}

// Kinds says what kinds of hosts a crowd has: a share of it is closed, and of the others one
// half is punchable and the other is open.
type Kinds struct {
	Closed float64
	// Tight gives the open ones slots enough for themselves, for those that are closed and for
	// some of the punchable. The others of these would have to serve each other; no rule of
	// the tree makes them. Without it there are enough for all.
	Tight bool
}

// spareShare is by how much there are more slots than hosts for them.
const spareShare = 0.1

// deal gives each host a kind, and the open ones more slots until there are enough.
func (k *Kinds) deal(r *rand.Rand, ms []Member) {
	closed := min(len(ms), int(k.Closed*float64(len(ms))+0.5))
	punchable := (len(ms) - closed) / 2
	for i := range ms {
		switch {
		case i < closed:
			ms[i].Kind = Closed
		case i < closed+punchable:
			ms[i].Kind = Punchable
		}
	}
	r.Shuffle(len(ms), func(i, j int) { ms[i].Kind, ms[j].Kind = ms[j].Kind, ms[i].Kind })
	need := len(ms)
	if k.Tight {
		need -= punchable
	}
	usable := RootSlots
	for _, m := range ms {
		if m.Kind == Open {
			usable += m.Slots
		}
	}
	want := need + int(spareShare*float64(len(ms)))
	for usable < want && closed+punchable < len(ms) {
		for i := range ms {
			if ms[i].Kind == Open && usable < want {
				ms[i].Slots++
				usable++
			}
		}
	}
}

// draw draws the kind of one who comes later.
func (k *Kinds) draw(r *rand.Rand) Kind {
	switch p := r.Float64(); {
	case p < k.Closed:
		return Closed
	case p < (1+k.Closed)/2:
		return Punchable
	}
	return Open
}
