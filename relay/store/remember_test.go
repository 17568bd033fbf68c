package store

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"relay/relay/stream"
	"relay/tree"
)

// places returns n of them, different ones for different first bytes.
func places(first byte, n int) []tree.Place {
	var ps []tree.Place
	for i := range n {
		ps = append(ps, tree.Place{
			ID: tree.ID{first, byte(i)},
			Addrs: []netip.AddrPort{
				netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, first, 0, byte(i)}), 7144),
				netip.MustParseAddrPort("[2001:db8::1]:7144"),
			},
		})
	}
	return ps
}

var (
	rememberAt      = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	rememberChannel = stream.ChannelID{7}
)

func TestNodesAreRememberedLastSeenFirst(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "relay"))
	if ps, err := s.Remembered(rememberChannel, rememberAt); len(ps) != 0 || err != nil {
		t.Fatalf("of no run: %v, %v", ps, err)
	}
	old, young := places(1, 40), places(2, 40)
	if err := s.Remember(rememberChannel, old, rememberAt); err != nil {
		t.Fatal(err)
	}
	again := append(slices.Clone(young), old[5]) // seen again
	if err := s.Remember(rememberChannel, again, rememberAt.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	ps, err := s.Remembered(rememberChannel, rememberAt.Add(2*time.Hour))
	if err != nil || len(ps) != maxRemembered {
		t.Fatalf("%d nodes, %v; want %d", len(ps), err, maxRemembered)
	}
	if !reflect.DeepEqual(ps[:41], again) || !reflect.DeepEqual(ps[41:46], old[:5]) || !reflect.DeepEqual(ps[46], old[6]) {
		t.Errorf("%v", ps)
	}
	if ps, err := s.Remembered(stream.ChannelID{8}, rememberAt); len(ps) != 0 || err != nil {
		t.Errorf("of another channel: %v, %v", ps, err)
	}
	if ps, _ := s.Remembered(rememberChannel, rememberAt.Add(rememberFor+30*time.Minute)); len(ps) != 41 {
		t.Errorf("%d nodes after a month, want the 41 that were seen later", len(ps))
	}
}

func TestNodesThatCannotBeDialledAreNotRemembered(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "relay"))
	if err := s.Remember(rememberChannel, []tree.Place{{ID: tree.ID{1}}, {Addrs: places(1, 1)[0].Addrs}}, rememberAt); err != nil {
		t.Fatal(err)
	}
	if ps, err := s.Remembered(rememberChannel, rememberAt); len(ps) != 0 || err != nil {
		t.Errorf("%v, %v", ps, err)
	}
}

func TestASpoiltListOfNodesIsRefusedAndReplaced(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "relay"))
	path := s.membersPath(rememberChannel)
	id := tree.ID{1}.String()
	for name, text := range map[string]string{
		"nonsense":             "nonsense\n",
		"zeros":                strings.Repeat("\x00", 100),
		"no ID":                "x 1 10.0.0.1:7144\n",
		"short ID":             id[:50] + " 1 10.0.0.1:7144\n",
		"no time":              id + " x 10.0.0.1:7144\n",
		"no address":           id + " 1\n",
		"no port":              id + " 1 10.0.0.1\n",
		"port 0":               id + " 1 10.0.0.1:0\n",
		"address of nobody":    id + " 1 0.0.0.0:7144\n",
		"multicast":            id + " 1 224.0.0.1:7144\n",
		"IPv4 inside IPv6":     id + " 1 [::ffff:10.0.0.1]:7144\n",
		"zone":                 id + " 1 [fe80::1%eth0]:7144\n",
		"too many addresses":   id + " 1" + strings.Repeat(" 10.0.0.1:7144", tree.MaxAddrs+1) + "\n",
		"good line, then none": id + " 1 10.0.0.1:7144\nnonsense\n",
		"too long":             strings.Repeat("x", maxMembersFile+1),
		"escapes":              "\x1b[2J 1 2\n",
	} {
		if err := os.WriteFile(path, []byte(text), fileMode); err != nil {
			t.Fatal(err)
		}
		ps, err := s.Remembered(rememberChannel, time.Unix(2, 0))
		if err == nil || len(ps) != 0 || !strings.Contains(err.Error(), path) || strings.ContainsAny(err.Error(), "\x1b\x00") {
			t.Errorf("%s: %v, %q", name, ps, err)
		}
		if err := s.Remember(rememberChannel, places(1, 2), rememberAt); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if ps, err := s.Remembered(rememberChannel, rememberAt); len(ps) != 2 || err != nil {
			t.Errorf("%s, replaced: %v, %v", name, ps, err)
		}
	}
}

func TestTheListOfNodesIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there are no such bits; see checkPrivate
	}
	s := openStore(t, filepath.Join(t.TempDir(), "relay"))
	if err := s.Remember(rememberChannel, places(1, 2), rememberAt); err != nil {
		t.Fatal(err)
	}
	path := s.membersPath(rememberChannel)
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().Perm() != fileMode {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if ps, err := s.Remembered(rememberChannel, rememberAt); err == nil {
		t.Errorf("a list that others can read, and so perhaps write, is used: %v", ps)
	}
}

func TestWhatHasAZoneIsNotRememberedForAnotherRun(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "relay"))
	zoned, plain := netip.MustParseAddrPort("[fe80::1%eth0]:7144"), netip.MustParseAddrPort("192.168.1.5:7144")
	err := s.Remember(rememberChannel, []tree.Place{
		{ID: tree.ID{1}, Addrs: []netip.AddrPort{zoned, plain}},
		{ID: tree.ID{2}, Addrs: []netip.AddrPort{zoned}},
	}, rememberAt)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Remembered(rememberChannel, rememberAt)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || !slices.Equal(got[0].Addrs, []netip.AddrPort{plain}) {
		t.Errorf("remembered %v", got)
	}
}
