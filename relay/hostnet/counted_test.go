package hostnet

import (
	"net/netip"
	"testing"
)

func TestWhatSharesAnAddress(t *testing.T) {
	for name, c := range map[string]struct {
		a, b            string // "" for an address that is not valid
		one, neighbours bool   // whether they count as one
	}{
		"itself":               {"192.0.2.1", "192.0.2.1", true, true},
		"written as IPv6":      {"192.0.2.1", "::ffff:192.0.2.1", true, true},
		"another of its /24":   {"192.0.2.1", "192.0.2.2", false, true},
		"of the next /24":      {"192.0.2.1", "192.0.3.1", false, false},
		"a customer's /64":     {"2001:db8::1", "2001:db8::ffff:2", true, true},
		"in another zone":      {"fe80::1%eth0", "fe80::1%eth1", true, true},
		"another of its /48":   {"2001:db8::1", "2001:db8:0:1::1", false, true},
		"of the next /48":      {"2001:db8::1", "2001:db8:1::1", false, false},
		"of the other family":  {"0.0.0.0", "::", false, false},
		"two that are unknown": {"", "", true, true},
		"one that is unknown":  {"0.0.0.0", "", false, false},
	} {
		var a, b netip.Addr
		if c.a != "" {
			a = netip.MustParseAddr(c.a)
		}
		if c.b != "" {
			b = netip.MustParseAddr(c.b)
		}
		var s Shares
		s.Add(a, 1)
		one, neighbours := s.Of(b)
		if one != count(c.one) || neighbours != count(c.neighbours) {
			t.Errorf("%s: it has %d, its neighbourhood %d", name, one, neighbours)
		}
		if s.Add(a, -1); len(s.ones) != 0 || len(s.neighbours) != 0 {
			t.Errorf("%s: %v are held", name, s)
		}
	}
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}
