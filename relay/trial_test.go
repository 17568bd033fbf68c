package relay

import (
	"net/netip"
	"testing"

	"relay/tree"
)

func TestWhatItMeansThatANodeCannotBeReached(t *testing.T) {
	const here = "203.0.113.7:7144"
	for name, c := range map[string]struct {
		addrs []string
		want  tree.Reach
	}{
		"it names nothing else":            {[]string{here}, tree.Closed},
		"its own network":                  {[]string{here, "192.168.1.5:7144", "100.64.0.9:7144"}, tree.Closed},
		"another address for the Internet": {[]string{here, "198.51.100.1:7144"}, tree.Untried},
		"one of IPv6":                      {[]string{here, "[2001:db8::7]:7144"}, tree.Closed},
	} {
		var addrs []netip.AddrPort
		for _, a := range c.addrs {
			addrs = append(addrs, netip.MustParseAddrPort(a))
		}
		if got := failedAt(addrs, addrs[0].Addr()); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
