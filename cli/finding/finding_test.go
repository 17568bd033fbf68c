package finding

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/zap"

	"relay/relay"
	"relay/relay/store"
	"relay/tree"
)

func TestWhoTakesNoPartTellsNothing(t *testing.T) {
	f := Open(Config{Off: true}, nil, zap.NewNop())
	f.Close()
	if d := f.DHT(); d.Tell != nil || d.Told != nil || f.Refused() != nil {
		t.Errorf("%+v", d)
	}
	f.Watch(t.Context(), nil, relay.Invite{}, nil)
	f.Publish(t.Context(), nil, relay.Invite{}, nil, nil)
}

// What other nodes tell is there in the next run, in a file for the user alone.
func TestNodesAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "relay")
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	told := []netip.AddrPort{netip.MustParseAddrPort("9.9.9.9:6881"), netip.MustParseAddrPort("192.168.1.1:6881"), netip.MustParseAddrPort("[2001:470::1]:6881")}
	f := Open(Config{}, st, zap.NewNop())
	f.DHT().Told(told)
	f.Close()
	at := filepath.Join(dir, "dht.nodes")
	if fi, err := os.Stat(at); err != nil || fi.Mode().Perm()&0o077 != 0 {
		t.Fatalf("%v, %v", fi, err)
	}
	if again := Open(Config{}, st, zap.NewNop()).DHT().Tell(); len(again) != 2 || again[0] != told[0] || again[1] != told[2] {
		t.Errorf("the next run begins with %v", again)
	}
	if err := os.WriteFile(at, bytes.Repeat([]byte("x"), 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if again := Open(Config{}, st, zap.NewNop()).DHT().Tell(); len(again) != 0 {
		t.Errorf("a file that is none says %v", again)
	}
}

func TestAddressesOfOneNetworkAreNotPublished(t *testing.T) {
	place := tree.Place{ID: tree.ID{1}, Addrs: []netip.AddrPort{netip.MustParseAddrPort("192.168.1.5:7144"), netip.MustParseAddrPort("9.9.9.9:7144"), netip.MustParseAddrPort("127.0.0.1:7144")}}
	near := tree.Place{ID: tree.ID{2}, Addrs: place.Addrs[:1]}
	if got := Open(Config{}, nil, zap.NewNop()).reachable([]tree.Place{near, place}); len(got) != 1 || got[0].ID != place.ID || len(got[0].Addrs) != 1 || got[0].Addrs[0] != place.Addrs[1] {
		t.Errorf("%+v", got)
	}
	if got := Open(Config{Bootstrap: []string{"10.0.0.1:6881"}}, nil, zap.NewNop()).reachable([]tree.Place{near, place}); len(got) != 2 || len(got[1].Addrs) != 3 {
		t.Errorf("in a network with a DHT of its own: %+v", got)
	}
}
