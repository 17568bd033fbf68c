package treetest

import (
	"cmp"
	"math/rand/v2"
)

// Member is a host of a crowd: what it gives, and who gets through to it.
type Member struct {
	Slots int
	Kind  Kind
	// Feigns says that it is not open, and goes on as if it were.
	Feigns bool
}

// Kinds says what kinds of hosts a crowd has: a share of it is closed, and another is punchable.
type Kinds struct {
	Closed, Punchable float64
	// Tight gives the open ones slots enough for themselves, for those that are closed and for
	// some of the punchable. The others of these would have to serve each other; no rule of
	// the tree makes them. Without it there are enough for all.
	Tight bool
	// Feign is the share of those that are not open which go on claiming their slots, to their
	// parents and in gossip, and say that they can be called.
	Feign float64
	// Spare is by how much there are more slots than hosts for them; 0 is spareShare.
	Spare float64
}

// Undialled are the kinds of a crowd of which nobody can dial so large a share: one half of it is
// punchable, and the other is closed.
func Undialled(share float64) Kinds {
	return Kinds{Closed: share / 2, Punchable: share / 2, Spare: 0.5} // as much as a crowd has in which all are open
}

// spareShare is Spare where nothing else is said.
const spareShare = 0.1

// deal gives each host a kind, and the open ones more slots until there are enough.
func (k *Kinds) deal(r *rand.Rand, ms []Member) {
	closed := min(len(ms), int(k.Closed*float64(len(ms))+0.5))
	punchable := min(len(ms)-closed, int(k.Punchable*float64(len(ms))+1e-9))
	for i := range ms {
		switch {
		case i < closed:
			ms[i].Kind = Closed
		case i < closed+punchable:
			ms[i].Kind = Punchable
		}
	}
	r.Shuffle(len(ms), func(i, j int) { ms[i].Kind, ms[j].Kind = ms[j].Kind, ms[i].Kind })
	if k.Feign > 0 {
		for i := range ms {
			ms[i].Feigns = ms[i].Kind != Open && r.Float64() < k.Feign
		}
	}
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
	want := need + int(cmp.Or(k.Spare, spareShare)*float64(len(ms)))
	for usable < want && closed+punchable < len(ms) {
		for i := range ms {
			if ms[i].Kind == Open && usable < want {
				ms[i].Slots++
				usable++
			}
		}
	}
}
