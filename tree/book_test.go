package tree

import (
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"
)

// A node knows up to 256 places, and a simulated crowd is 100,000 nodes.
func TestAPlaceThatIsKnownTakesEightyBytes(t *testing.T) {
	if n := unsafe.Sizeof(bookEntry{}); n > 80 {
		t.Errorf("%d bytes", n)
	}
}

func TestWhatCameOfAskingOnePlaceIsNotHeldAgainstAnother(t *testing.T) {
	now := time.Unix(1, 0)
	by := place(9)
	for name, ask := range map[string]func(b *book, p Place){
		"it is dead":           func(b *book, p Place) { b.failed(now, p, ReasonUnreachable) },
		"it forged":            func(b *book, p Place) { b.failed(now, p, ReasonForged) },
		"it cannot be called":  func(b *book, p Place) { b.missed(now, p, by.ID) },
		"it is too slow":       func(b *book, p Place) { b.avoid(p, now.Add(distrustTime)) },
		"it takes no standby":  func(b *book, p Place) { b.noStandby(p, now.Add(standbyAvoid)) },
		"it is called":         func(b *book, p Place) { b.mark(now, []Place{p}, 1, by.ID) },
		"it works":             func(b *book, p Place) { b.worked(p) },
		"it is forgiven":       func(b *book, _ Place) { b.forgive(now) },
		"another is behind it": func(b *book, p Place) { b.namedBy([]Place{place(2)}, p.ID); b.blame(now, b.find(place(2)).by) },
	} {
		b := book{rand: rand.New(rand.NewPCG(1, 1))}
		b.add([]Place{place(1), place(2), place(3), by}, rankHint, 0)
		ask(&b, place(1))
		if e := b.find(place(3)); *e.dealings != (dealings{}) || *noDealings != (dealings{}) {
			t.Errorf("%s: and another is %+v, and those that nobody asked %+v", name, *e.dealings, *noDealings)
		}
	}
}

// A call went by way of a node that has died meanwhile, and another one has said that it carries calls there:
// the place is asked again at once, and is left alone if that way does not lead there either.
func TestAWayThatHasNotBeenTriedIsNotGivenUpWithAnother(t *testing.T) {
	now := time.Unix(1, 0)
	dead, other, p := place(8), place(9), place(1)
	b := book{rand: rand.New(rand.NewPCG(1, 1))}
	b.add([]Place{p}, rankReferred, 0)
	b.mark(now, []Place{p}, 1, dead.ID)
	b.mark(now, []Place{p}, 1, other.ID) // while the call is under way
	b.missed(now, p, dead.ID)
	if e := b.find(p); now.Before(e.avoid) || e.away || e.fails != 0 || e.through != other.ID {
		t.Errorf("the place is %+v", *e.dealings)
	}
	b.missed(now, p, other.ID)
	if e := b.find(p); !now.Before(e.avoid) || !e.away {
		t.Errorf("after a call by the other way, too, it is %+v", *e.dealings)
	}
}
