package relay

import (
	"net/netip"
	"slices"
	"testing"

	"relay/relay/stream"
	"relay/tree"
)

// TestTheWaysToAPlace has homes that have the same addresses inside, and machines that share a router.
func TestTheWaysToAPlace(t *testing.T) {
	at := func(as ...string) (all []netip.AddrPort) {
		for _, a := range as {
			all = append(all, netip.MustParseAddrPort(a))
		}
		return all
	}
	n := &Node{
		addrs: at("192.168.1.2:7144", "[2001:db8::2]:7144"),
		cfg: Config{Near: func(a netip.Addr) bool {
			return netip.MustParsePrefix("192.168.1.0/24").Contains(a)
		}},
	}
	n.channels = map[stream.ChannelID]*Channel{{}: {peers: peers{world: netip.MustParseAddr("11.22.33.44")}}}
	for name, c := range map[string]struct {
		id         tree.ID
		told, want []netip.AddrPort
	}{
		"elsewhere":               {tree.ID{1}, at("44.33.22.11:7144", "10.0.0.7:7144"), at("44.33.22.11:7144", "10.0.0.7:7144")},
		"a home with our address": {tree.ID{1}, at("192.168.1.2:7144", "44.33.22.11:7144"), at("44.33.22.11:7144")},
		"nobody knows who":        {tree.ID{}, at("192.168.1.2:7144"), at("192.168.1.2:7144")},
		"another home's network":  {tree.ID{1}, at("44.33.22.11:7144", "192.168.1.9:7144"), at("44.33.22.11:7144", "192.168.1.9:7144")},
		"behind our own router":   {tree.ID{1}, at("11.22.33.44:7150", "192.168.1.9:7144"), at("192.168.1.9:7144", "11.22.33.44:7150")},
		"on this very machine":    {tree.ID{1}, at("192.168.1.2:7145"), at("192.168.1.2:7145")},
	} {
		if got := n.waysTo(tree.Place{ID: c.id, Addrs: c.told}); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
