package hostnet

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestNearIsThisMachineAndItsOwnSubnets(t *testing.T) {
	s := surroundings{own: []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8"),
		netip.MustParsePrefix("192.168.1.0/24"),
		netip.MustParsePrefix("203.0.113.64/26"),
		netip.MustParsePrefix("2001:db8:1:2::/64"),
	}, gateways: []netip.Addr{netip.MustParseAddr("192.168.1.254")}}
	for addr, want := range map[string]bool{
		"127.0.0.1":               true,
		"127.9.9.9":               true,
		"::1":                     true,
		"::ffff:127.0.0.1":        true,
		"192.168.1.1":             true,
		"192.168.1.255":           true,
		"::ffff:192.168.1.77":     true,
		"203.0.113.65":            true,
		"2001:db8:1:2:aaaa::1":    true,
		"2001:db8:1:2:aaaa::1%e0": true,
		"fe80::1":                 true,
		"fe80::1%eth0":            true,

		"192.168.1.254":        false, // the router, and whoever it lets in
		"::ffff:192.168.1.254": false,

		"192.168.2.1":    false,
		"10.0.0.1":       false, // private, but another's
		"100.64.0.1":     false, // a carrier's NAT
		"169.254.1.1":    false, // nobody here has such an address
		"203.0.113.1":    false,
		"2001:db8:1:3::": false,
		"fd00::1":        false,
		"8.8.8.8":        false,
	} {
		if got := s.near(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: near %v", addr, got)
		}
	}
	if s.near(netip.Addr{}) {
		t.Error("an address that is not known is near")
	}
	if none := (surroundings{}); !none.near(netip.MustParseAddr("127.0.0.1")) || none.near(netip.MustParseAddr("192.168.1.1")) {
		t.Error("without subnets, near is not this machine alone")
	}
}

func TestSubnetsOfInterfaces(t *testing.T) {
	for cidr, want := range map[string]string{
		"192.168.1.7/24":     "192.168.1.0/24",
		"10.1.2.3/32":        "10.1.2.3/32",
		"2001:db8::5/64":     "2001:db8::/64",
		"::ffff:10.1.2.3/96": "", // 10.1.2.3/0 holds everything
		"0.0.0.0/0":          "",
		"::/0":               "",
	} {
		ip, n, err := net.ParseCIDR(cidr)
		if err != nil {
			t.Fatal(err)
		}
		p, ok := prefixOf(&net.IPNet{IP: ip, Mask: n.Mask})
		if !ok {
			t.Errorf("%s: no address", cidr)
		}
		got := subnetsOf([]netip.Prefix{p})
		if len(got) != min(len(want), 1) || len(got) == 1 && got[0].String() != want {
			t.Errorf("%s: %v; want %q", cidr, got, want)
		}
	}
	// As the system gives IPv4 addresses: 16 bytes and a mask of 4.
	got, ok := prefixOf(&net.IPNet{IP: net.ParseIP("192.168.1.7").To16(), Mask: net.CIDRMask(24, 32)})
	if !ok || got.Masked() != netip.MustParsePrefix("192.168.1.0/24") {
		t.Errorf("got %v, %v", got, ok)
	}
}

func TestThisMachinesOwnAddressesAreNear(t *testing.T) {
	own, err := ownSubnets()
	if err != nil {
		t.Fatal(err)
	}
	s := surroundings{own: own}
	if !s.near(netip.MustParseAddr("127.0.0.1")) {
		t.Errorf("127.0.0.1 is not near; subnets %v", own)
	}
	for _, p := range own {
		if !s.near(p.Addr()) {
			t.Errorf("%v is not in %v", p.Addr(), own)
		}
	}
}

func TestSubnetsAreLookedAtAgain(t *testing.T) {
	at := time.Unix(1e9, 0)
	// Documentation addresses (RFC 5737): no machine has them.
	made := netip.MustParseAddr("198.51.100.1")
	s := Subnets{at: at, surroundings: surroundings{own: []netip.Prefix{netip.PrefixFrom(made, 24)}}}
	if !s.Near(at.Add(subnetsAge-1), made) {
		t.Error("the list was dropped too early")
	}
	if s.Near(at.Add(subnetsAge), made) {
		t.Error("the list was used for too long")
	}
}
