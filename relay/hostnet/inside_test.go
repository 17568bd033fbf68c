package hostnet

import (
	"net/netip"
	"testing"
)

func TestWhatMeansSomethingInOneNetworkAlone(t *testing.T) {
	for addr, want := range map[string]struct {
		nowhere bool
		block   string // "" for the Internet
	}{
		"127.0.0.1":        {false, "127.0.0.0/8"},
		"::1":              {false, "::1/128"},
		"::ffff:127.0.0.1": {false, "127.0.0.0/8"},
		"10.1.2.3":         {false, "10.0.0.0/8"},
		"172.31.255.1":     {false, "172.16.0.0/12"},
		"172.32.0.1":       {false, ""},
		"192.168.1.1":      {false, "192.168.0.0/16"},
		"100.64.0.1":       {false, "100.64.0.0/10"},
		"100.100.100.200":  {true, "100.64.0.0/10"},
		"169.254.1.1":      {false, "169.254.0.0/16"},
		"169.254.169.254":  {true, "169.254.0.0/16"},
		"fe80::1%eth0":     {false, "fe80::/10"},
		"fd12:3456:789::1": {false, "fd12:3456:789::/48"},
		"fd00:ec2::254":    {true, "fd00:ec2::/48"},
		"0.0.0.0":          {true, ""},
		"0.1.2.3":          {true, ""},
		"::":               {true, ""},
		"224.0.0.1":        {true, ""},
		"ff02::1":          {true, ""},
		"255.255.255.255":  {true, ""},
		"11.0.0.1":         {false, ""},
		"2001:db8::1":      {false, ""},
	} {
		a := netip.MustParseAddr(addr)
		block, inside := Inside(a)
		if Nowhere(a) != want.nowhere || inside != (want.block != "") || inside && block.String() != want.block {
			t.Errorf("%s: nowhere %v, %v %v; want %+v", addr, Nowhere(a), inside, block, want)
		}
	}
	if !Nowhere(netip.Addr{}) {
		t.Error("no address is somewhere")
	}
}
