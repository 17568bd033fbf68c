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
		"it cannot be called":  func(b *book, p Place) { b.missed(now, p) },
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
