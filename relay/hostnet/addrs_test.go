package hostnet

import (
	"net/netip"
	"strings"
	"testing"
)

func TestThePageHasTheLikeliestAddress(t *testing.T) {
	for _, c := range []struct{ all, outward, want string }{
		{"", "", ""},
		{"fe80::1 169.254.3.3 127.0.0.1", "", ""},
		{"fd00::2 192.168.1.5 172.17.0.1", "", "192.168.1.5"},
		{"172.17.0.1 192.168.1.5", "192.168.1.5", "192.168.1.5"},
		{"172.17.0.1 192.168.1.5", "10.8.0.2", "172.17.0.1"}, // the Internet is behind a VPN
		{"203.0.113.9 192.168.1.5", "", "192.168.1.5"},
		{"203.0.113.9 192.168.1.5", "203.0.113.9", "203.0.113.9"},
		{"fe80::1 2001:db8::1", "", "2001:db8::1"},
	} {
		var all []netip.Addr
		for _, s := range strings.Fields(c.all) {
			all = append(all, netip.MustParseAddr(s))
		}
		out, _ := netip.ParseAddr(c.outward)
		got, ok := likeliest(all, out)
		if want, _ := netip.ParseAddr(c.want); got != want || ok != want.IsValid() {
			t.Errorf("%q: %v, want %q", c.all, got, c.want)
		}
	}
}
