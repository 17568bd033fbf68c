package hostnet

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// wired is an interface with the addresses in a line; those without a length get a usual one.
func wired(name, addrs string, change ...func(*iface)) iface {
	i := iface{name: name}
	for _, s := range strings.Fields(addrs) {
		if !strings.Contains(s, "/") {
			s += map[bool]string{true: "/64", false: "/24"}[strings.Contains(s, ":")]
		}
		i.prefixes = append(i.prefixes, netip.MustParsePrefix(s))
	}
	for _, c := range change {
		c(&i)
	}
	return i
}

func way(n int) func(*iface) { return func(i *iface) { i.way = n } }
func tunnel(i *iface)        { i.tunnel = true }
func inner(i *iface)         { i.inner = true }
func unplugged(i *iface)     { i.idle = true }

func passing(addrs string) func(*iface) {
	return func(i *iface) { i.passing = addrsOf(addrs) }
}

func unfit(addrs string) func(*iface) {
	return func(i *iface) { i.unfit = addrsOf(addrs) }
}

func addrsOf(s string) []netip.Addr {
	var all []netip.Addr
	for _, f := range strings.Fields(s) {
		all = append(all, netip.MustParseAddr(f))
	}
	return all
}

func TestUsefulAddressesComeFirst(t *testing.T) {
	bridges := func(change ...func(*iface)) []iface {
		var all []iface
		for n := range 5 {
			all = append(all, wired(fmt.Sprintf("br-%d", n), fmt.Sprintf("172.%d.0.1/16", 17+n), append(change, inner)...))
		}
		return all
	}
	for name, c := range map[string]struct {
		all  []iface
		want string
	}{
		"no interface": {nil, ""},
		"nothing that others can use": {
			[]iface{wired("eth0", "169.254.3.3/16 fe80::1"), wired("lo", "127.0.0.1/8 ::1/128")}, "",
		},
		"a home": {[]iface{wired("eth0", "192.168.1.5 2001:db8::5 fd00::5 fe80::5", way(1))}, "2001:db8::5 192.168.1.5 fd00::5"},
		"a server": {
			[]iface{wired("eth0", "203.0.113.7 2001:db8::7", way(1)), wired("eth1", "10.0.0.7")}, "2001:db8::7 203.0.113.7 10.0.0.7",
		},
		"five bridges and a VPN before the real interface": {
			append(append(bridges(unplugged), wired("wg0", "10.8.0.2/32", tunnel)), wired("wlan0", "192.168.1.5", way(1))), "192.168.1.5 10.8.0.2",
		},
		"the bridges have members": {
			append(append(bridges(), wired("wg0", "10.8.0.2/32", tunnel)), wired("wlan0", "192.168.1.5", way(1))),
			"192.168.1.5 172.17.0.1 172.18.0.1 10.8.0.2",
		},
		"a LAN without a way out is before the networks within the machine": {
			append(bridges(), wired("eth0", "192.168.1.5")), "192.168.1.5 172.17.0.1",
		},
		"nothing but a bridge in which nobody is": {[]iface{wired("docker0", "172.17.0.1/16", inner, unplugged)}, ""},
		"the real network is behind a bridge": {
			[]iface{wired("virbr0", "192.168.122.1", inner, unplugged), wired("br0", "192.168.1.5", inner, way(1))}, "192.168.1.5",
		},
		"a VPN takes all traffic": { // and has the first default route
			[]iface{wired("wg0", "10.8.0.2/32", tunnel, way(1)), wired("eth0", "192.168.1.5", way(2))}, "192.168.1.5 10.8.0.2",
		},
		"an overlay network whose addresses look public": {
			[]iface{wired("ygg0", "200:1234::1/7", tunnel), wired("eth0", "192.168.1.5", way(1))}, "192.168.1.5 200:1234::1",
		},
		"a tunnel with a public address": {
			[]iface{wired("sit1", "2001:db8:1::2", tunnel), wired("eth0", "192.168.1.5", way(1)), wired("eth1", "2001:db8:2::2", way(2))},
			"2001:db8:2::2 2001:db8:1::2 192.168.1.5",
		},
		"a line that is dialled by the machine itself": {
			[]iface{wired("eth0", "192.168.1.1"), wired("ppp0", "203.0.113.9/32", tunnel, way(1))}, "203.0.113.9 192.168.1.1",
		},
		"the carrier's network": {[]iface{wired("wwan0", "100.70.1.2/30", way(1))}, "100.70.1.2"},
		"IPv4 is carried in IPv6": {
			[]iface{wired("dslite", "192.0.0.2/29", tunnel, way(1)), wired("eth0", "192.168.1.1")}, "192.168.1.1 192.0.0.2",
		},
		"Wi-Fi and Ethernet": { // the default route with the least metric counts
			[]iface{wired("wlan0", "192.168.1.6", way(2)), wired("eth0", "192.168.1.5", way(1))}, "192.168.1.5 192.168.1.6",
		},
		"no cable is plugged in": {
			[]iface{wired("eth0", "192.168.0.5", unplugged), wired("wlan0", "192.168.1.6", way(1))}, "192.168.1.6 192.168.0.5",
		},
		"temporary addresses are before the stable one": {
			[]iface{wired("eth0", "2001:db8::a 2001:db8::b 2001:db8::5 192.168.1.5", way(1), passing("2001:db8::a 2001:db8::b"))},
			"2001:db8::5 192.168.1.5",
		},
		"there are only temporary addresses": {
			[]iface{wired("eth0", "2001:db8::a 2001:db8::b", way(1), passing("2001:db8::a 2001:db8::b"))}, "2001:db8::a",
		},
		"the old prefix after a reconnect": {
			[]iface{wired("eth0", "2001:db8:1::5 2001:db8:2::5", way(1), unfit("2001:db8:1::5"))}, "2001:db8:2::5",
		},
		"the address may be another's": {[]iface{wired("eth0", "2001:db8::5 192.168.1.5", way(1), unfit("2001:db8::5"))}, "192.168.1.5"},
		"an address by DHCPv6 and one of its own": {
			[]iface{wired("eth0", "2001:db8::1234/128 2001:db8::5/64", way(1))}, "2001:db8::1234",
		},
		"two of a kind": {
			[]iface{
				wired("eth0", "192.168.1.5 2001:db8:1::1 2001:db8:2::1 2001:db8:3::1", way(1)), wired("eth1", "192.168.2.5"), wired("eth2", "192.168.3.5"), wired("eth3", "192.168.4.5"),
			},
			"2001:db8:1::1 2001:db8:2::1 192.168.1.5 192.168.2.5",
		},
		"several addresses in one network": {
			[]iface{wired("eth0", "192.168.1.5 192.168.1.6 192.168.1.7", way(1)), wired("eth1", "10.0.0.1")}, "192.168.1.5 10.0.0.1",
		},
		"the same address twice": {[]iface{wired("eth0", "10.0.0.1"), wired("eth1", "10.0.0.1")}, "10.0.0.1"},
	} {
		if got := strings.Trim(fmt.Sprint(ranked(c.all)), "[]"); got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
}

func TestPublicIsWhatTheInternetRoutes(t *testing.T) {
	for addr, want := range map[string]bool{
		"203.0.113.7": true, "::ffff:203.0.113.7": true, "2001:db8::1": true, "2a02:8070::1": true,
		"10.0.0.1": false, "192.168.1.1": false, "100.64.0.1": false, "192.0.0.2": false, "198.18.0.1": false,
		"127.0.0.1": false, "169.254.1.1": false, "224.0.0.1": false, "0.0.0.0": false,
		"::1": false, "fe80::1": false, "fd00::1": false, "2001::1": false, "2002:cb00:7107::1": false, "200::1": false, "ff02::1": false,
	} {
		if got := Public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: public %v", addr, got)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}
