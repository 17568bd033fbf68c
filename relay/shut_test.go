package relay

import (
	"net/netip"
	"testing"

	"relay/tree"
)

func TestWhoKnowsThatNobodyDialsIt(t *testing.T) {
	v4, v6 := netip.MustParseAddrPort("198.51.100.7:7144"), netip.MustParseAddrPort("[2001:db8:1::7]:7144")
	home := netip.MustParseAddrPort("192.168.1.2:7144")
	tried := func(r4, r6 tree.Reach) [families]Trial {
		return [families]Trial{{Reach: r4, Addr: v4}, {Reach: r6, Addr: v6}}
	}
	for name, c := range map[string]struct {
		p      *peers
		source bool
		want   bool
	}{
		"nobody has tried":                      {&peers{given: []netip.AddrPort{home}}, false, false},
		"a parent does not get through":         {&peers{given: []netip.AddrPort{home}, trial: Trial{Reach: tree.Closed, Addr: v4}}, false, true},
		"a parent gets through":                 {&peers{given: []netip.AddrPort{home}, trial: Trial{Reach: tree.Open, Addr: v4}}, false, false},
		"its router may have opened since":      {&peers{given: []netip.AddrPort{v4, home}, trial: Trial{Reach: tree.Closed, Addr: v4}}, false, false},
		"over the other family":                 {&peers{given: []netip.AddrPort{v6, home}, trial: Trial{Reach: tree.Closed, Addr: v4}}, false, true},
		"a source of which nothing is known":    {&peers{given: []netip.AddrPort{home}}, true, false},
		"nobody dials a source back":            {&peers{given: []netip.AddrPort{home}, trials: tried(tree.Closed, tree.Untried)}, true, true},
		"its router may have opened a port":     {&peers{given: []netip.AddrPort{v4, home}, trials: tried(tree.Closed, tree.Untried)}, true, false},
		"over IPv6 somebody may":                {&peers{given: []netip.AddrPort{home, v6}, trials: tried(tree.Closed, tree.Untried)}, true, false},
		"over IPv6 somebody does":               {&peers{given: []netip.AddrPort{home, v6}, trials: tried(tree.Closed, tree.Open)}, true, false},
		"a source that offers itself":           {&peers{given: []netip.AddrPort{v4}, offering: true}, true, true},
		"one that does, and is dialled as well": {&peers{given: []netip.AddrPort{v4}, offering: true, trials: tried(tree.Open, tree.Untried)}, true, false},
	} {
		if got := c.p.shut(c.source); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
