package relay

import (
	"net/netip"
	"testing"
	"time"
)

func TestWhatIsFoundNeedsNoLink(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.add(option{slots: 3, hosts: []HostPort{}, found: w.root.place.Addrs})
		w.within(time.Second, "it is attached", w.attached)
	})
}

func TestSuggestedAddressIsTriedWhereTheLinkIsDead(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		nobody := netip.MustParseAddrPort("10.9.9.9:7144")
		n := w.add(option{slots: 3, hosts: []HostPort{{nobody.Addr().String(), nobody.Port()}}})
		time.Sleep(20 * time.Second)
		if w.attached(n) {
			t.Fatal("it has joined by a dead address")
		}
		n.Suggest() // nothing
		n.Suggest(nobody)
		n.Suggest(w.root.place.Addrs...)
		t.Logf("attached after %v", w.within(5*time.Second, "it is attached", w.attached))
		w.root.Suggest(nobody) // who needs none does not mind
	})
}
