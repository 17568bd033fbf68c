package hostnet

import (
	"net/netip"
	"slices"
	"testing"
)

func TestGatewaysAreThoseOfDefaultRoutes(t *testing.T) {
	const table = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010011AC	0003	0	0	0	00000000	0	0	0
tun0	00000000	00000000	0001	0	0	50	00000000	0	0	0
eth0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
eth1	0000A8C0	FE01A8C0	0003	0	0	0	0000FFFF	0	0	0
eth1	00000000	FE01A8C0	0003	0	0	100	00000000	0	0	0
bad	00000000	xyz
bad	00000000
`
	want := []netip.Addr{netip.MustParseAddr("172.17.0.1"), netip.MustParseAddr("192.168.1.254")}
	if got := parseRoutes(table); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
