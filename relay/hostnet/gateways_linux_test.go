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
	if got := routersOf(parseRoutes(table)); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestWaysOutAreDefaultRoutesByMetric(t *testing.T) {
	const four = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
tun0	00000000	0100080A	0003	0	0	0	00000080	0	0	0
tun0	00000080	0100080A	0003	0	0	0	00000080	0	0	0
wlan0	00000000	FE01A8C0	0003	0	0	600	00000000	0	0	0
eth0	00000000	FE01A8C0	0003	0	0	100	00000000	0	0	0
eth0	0000A8C0	00000000	0001	0	0	100	00FFFFFF	0	0	0
eth0	00000000	FE01A8C0	0003	0	0	1024	00000000	0	0	0
*	00000000	00000000	0201	0	0	0	00000000	0	0	0
bad	00000000	00000000	0003	0	0	x	00000000	0	0	0
short	00000000
`
	if got, want := defaultRoutes(four), []string{"eth0", "wlan0"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	gateways := []netip.Addr{netip.MustParseAddr("192.168.1.254")}
	if got, want := routersOf(parseRoutes(four)), append([]netip.Addr{netip.MustParseAddr("10.8.0.1")}, gateways...); !slices.Equal(got, want) {
		t.Errorf("strangers may come in by %v, want %v", got, want)
	}
	if got := routersOf(ways4(four)); !slices.Equal(got, gateways) {
		t.Errorf("by %v, want %v", got, gateways)
	}
	const zero, gate = "00000000000000000000000000000000", "fe800000000000000000000000000001"
	const six = zero + " 00 " + zero + " 00 " + gate + " 00000400 00000003 00000000 00450003     eth1\n" +
		zero + " 00 " + zero + " 00 " + gate + " 00000064 00000003 00000000 00450003     eth0\n" +
		zero + " 00 " + zero + " 00 " + zero + " ffffffff 00000001 00000000 00200200       lo\n" +
		"fe800000000000000000000000000000 40 " + zero + " 00 " + zero + " 00000100 00000001 00000000 00000001     eth2\n" +
		"bad\n"
	if got, want := defaultRoutes6(six), []string{"eth0", "eth1"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	gateways = []netip.Addr{netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("fe80::1%eth1")}
	if got := routersOf(ways6(six)); !slices.Equal(got, gateways) {
		t.Errorf("by %v, want %v", got, gateways)
	}
}
