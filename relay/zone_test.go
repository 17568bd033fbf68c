package relay

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"

	"relay/relay/hostnet"
)

func addrPorts(ss ...string) []netip.AddrPort {
	var all []netip.AddrPort
	for _, s := range ss {
		all = append(all, netip.MustParseAddrPort(s))
	}
	return all
}

func TestLinkLocalAddressWithoutZoneIsTriedOnEachNetwork(t *testing.T) {
	up := func(name string, more net.Flags) hostnet.Device {
		return hostnet.Device{Interface: net.Interface{Name: name, Flags: net.FlagUp | more}}
	}
	ifs := []hostnet.Device{up("lo", net.FlagLoopback), up("eth0", 0), {Interface: net.Interface{Name: "eth1"}}, up("wlan0", net.FlagBroadcast), up("tun0", net.FlagPointToPoint)}
	given := addrPorts("[fe80::1]:7144", "[fe80::2%eth7]:7144", "192.168.1.5:7144", "[2001:db8::1]:7144")
	got := zoned(given, func() ([]hostnet.Device, error) { return ifs, nil })
	want := addrPorts("[fe80::1%eth0]:7144", "[fe80::1%wlan0]:7144", "[fe80::2%eth7]:7144", "192.168.1.5:7144", "[2001:db8::1]:7144")
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	many := slices.Repeat([]hostnet.Device{up("eth", 0)}, 3*maxZones)
	if got := zoned(given[:1], func() ([]hostnet.Device, error) { return many, nil }); len(got) != maxZones {
		t.Errorf("%d zones are tried, want %d", len(got), maxZones)
	}
	got = zoned(given, func() ([]hostnet.Device, error) { return nil, errors.New("no") })
	if !slices.Equal(got, given) {
		t.Errorf("without a list of interfaces: %v", got)
	}
}
