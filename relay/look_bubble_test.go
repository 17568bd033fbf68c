package relay

import (
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/seal"
	"relay/relay/store"
	"relay/tree"
)

func TestANodeSaysOfItselfWhatWhoAsksMayKnow(t *testing.T) {
	inside(t, 3, &world{source: option{ends: true}}, func(t *testing.T, w *world) {
		kitchen := w.add(option{slots: 3, name: "kitchen"})
		w.within(10*time.Second, "it is attached", w.attached)
		stranger := w.add(option{slots: 3, hosts: []HostPort{}, found: []netip.AddrPort{netip.MustParseAddrPort("10.9.9.9:7144")}}) // it never joins
		time.Sleep(5 * time.Second)
		at := kitchen.place.Addrs[0]
		if got, err := stranger.node.Look(t.Context(), w.invite, at); err != nil || got != (Look{kitchen.place.ID, at, true, "kitchen"}) {
			t.Errorf("%+v, %v", got, err)
		}
		if got, err := stranger.node.Look(t.Context(), w.invite, w.root.place.Addrs[0]); err != nil || got.Peer != w.root.place.ID || !got.Way || got.Name != "" {
			t.Errorf("of the source: %+v, %v", got, err)
		}
		other := w.invite
		other.Channel[0]++
		if _, err := stranger.node.Look(t.Context(), other, at); !errors.Is(err, tree.ReasonChannel) {
			t.Errorf("of another channel: %v", err)
		}
		if _, err := stranger.node.Look(t.Context(), w.invite, netip.MustParseAddrPort("10.9.9.9:7144")); err == nil {
			t.Error("nobody answers")
		}
		w.root.cancel()
		w.root.wg.Wait()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if got, err := stranger.node.Look(t.Context(), w.invite, at); err != nil || got.Way {
			t.Errorf("once the source has gone: %+v, %v", got, err)
		}
	})
}

func TestAPrivateChannelSaysNothingToStrangers(t *testing.T) {
	inside(t, 3, &world{access: seal.New()}, func(t *testing.T, w *world) {
		n := w.add(option{slots: 3})
		w.within(10*time.Second, "it is attached", w.attached)
		if got, err := n.node.Look(t.Context(), w.invite, w.root.place.Addrs[0]); err != nil || !got.Way {
			t.Errorf("with the secret: %+v, %v", got, err)
		}
		inv := w.invite
		inv.Access = seal.Access{}
		if _, err := n.node.Look(t.Context(), inv, w.root.place.Addrs[0]); !errors.Is(err, tree.ReasonChannel) {
			t.Errorf("without: %v", err)
		}
	})
}

// A channel is found where its domain says it is, or where it was last, and where most addresses are dead.
func TestAChannelIsLookedForWhereItMayBe(t *testing.T) {
	inside(t, 3, &world{source: option{ends: true}}, func(t *testing.T, w *world) {
		kept, err := store.Open(filepath.Join(t.TempDir(), "relay"))
		if err != nil {
			t.Fatal(err)
		}
		nobody := netip.MustParseAddrPort("10.9.9.9:7144")
		stranger := w.add(option{slots: 3, hosts: []HostPort{}, store: kept, found: []netip.AddrPort{nobody}, domain: func(domain string) ([]netip.AddrPort, error) {
			if domain == "example.org" {
				return w.root.place.Addrs, nil
			}
			return nil, errors.New("nobody knows it")
		}})
		cut := w.add(option{slots: 3, hosts: []HostPort{{"10.9.9.9", 7144}}}) // it has the channel, and no way to the source
		dead := HostPort{nobody.Addr().String(), nobody.Port()}
		for name, c := range map[string]struct {
			hosts []HostPort
			found bool
		}{
			"by its address":           {[]HostPort{dead, hostPort(w.root.place)}, true},
			"behind one without a way": {[]HostPort{hostPort(cut.place), hostPort(w.root.place)}, true},
			"by its domain":            {[]HostPort{dead, AskedOf("example.com"), AskedOf("example.org")}, true},
			"nowhere":                  {nil, false},
			"at dead addresses":        {[]HostPort{dead, AskedOf("example.com")}, false},
			"behind too many others":   {append(slices.Clone([]HostPort{{"10.9.9.9", 1}, {"10.9.9.9", 2}, {"10.9.9.9", 3}, {"10.9.9.9", 4}, {"10.9.9.9", 5}, {"10.9.9.9", 6}, {"10.9.9.9", 7}, {"10.9.9.9", 8}, {"10.9.9.9", 9}, {"10.9.9.9", 10}, {"10.9.9.9", 11}, {"10.9.9.9", 12}}), hostPort(w.root.place)), false},
		} {
			inv := w.invite
			inv.Hosts = c.hosts
			if got, err := stranger.node.LookFor(t.Context(), inv); (err == nil) != c.found || c.found && (!got.Way || got.Peer != w.root.place.ID) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
		if err := kept.Remember(w.root.ID(), []tree.Place{{ID: tree.ID{9}, Addrs: []netip.AddrPort{nobody}}, w.root.place}, time.Now()); err != nil {
			t.Fatal(err)
		}
		inv := w.invite
		inv.Hosts = nil
		if got, err := stranger.node.LookFor(t.Context(), inv); err != nil || !got.Way {
			t.Errorf("where it was last: %+v, %v", got, err)
		}
	})
}
