package hostnet

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// routeFile and routeFile6 are the kernel's tables of routes (proc_net(5)).
const (
	routeFile  = "/proc/net/route"
	routeFile6 = "/proc/net/ipv6_route"
)

// gateways is the routers that this machine's default routes lead to, or its routes to half of
// all addresses, as VPNs have them: IPv4 only, as nobody rewrites addresses on the way in for
// IPv6. None if that cannot be told.
func gateways() []netip.Addr {
	b, err := os.ReadFile(routeFile)
	if err != nil {
		return nil
	}
	return routersOf(parseRoutes(string(b)))
}

// outward is a default route.
type outward struct {
	name    string // of its interface
	metric  uint64
	gateway netip.Addr // unspecified if packets need none, as on a line between two points
	half    bool       // it leads to half of all addresses alone
}

// routers is the gateways of the default routes of both families, IPv4 first, those with
// the least metric in front.
func routers() []netip.Addr {
	four, _ := os.ReadFile(routeFile) // without it there is no way that is known
	six, _ := os.ReadFile(routeFile6)
	return append(routersOf(ways4(string(four))), routersOf(ways6(string(six)))...)
}

// defaultRoutes reads from the kernel's table of IPv4 routes the interfaces that have a
// default route, that with the least metric first.
func defaultRoutes(table string) []string { return namesOf(ways4(table)) }

// defaultRoutes6 reads the same from the kernel's table of IPv6 routes.
func defaultRoutes6(table string) []string { return namesOf(ways6(table)) }

// ways4 reads the default routes from the kernel's table of IPv4 routes, that with the
// least metric first. A route to half of all addresses, as VPNs set it beside the default
// route, is none.
func ways4(table string) []outward {
	return byMetric(slices.DeleteFunc(parseRoutes(table), func(w outward) bool { return w.half }))
}

// parseRoutes reads from the kernel's table of IPv4 routes those that begin with 0.0.0.0. It
// has addresses as words of this machine.
func parseRoutes(table string) []outward {
	var ways []outward
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 8 || f[1] != "00000000" {
			continue
		}
		metric, err := strconv.ParseUint(f[6], 10, 32)
		flags, flagsErr := strconv.ParseUint(f[3], 16, 32)
		word, wordErr := strconv.ParseUint(f[2], 16, 32)
		if err != nil || flagsErr != nil || wordErr != nil || flags&routeReject != 0 {
			continue
		}
		var b [4]byte
		binary.NativeEndian.PutUint32(b[:], uint32(word))
		ways = append(ways, outward{f[0], metric, netip.AddrFrom4(b), f[7] != "00000000"})
	}
	return ways
}

// ways6 reads the same from the kernel's table of IPv6 routes. A gateway that is known on
// its link alone has the interface as its zone.
func ways6(table string) []outward {
	var ways []outward
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 10 || strings.Trim(f[0], "0") != "" || f[1] != "00" || f[3] != "00" {
			continue
		}
		metric, err := strconv.ParseUint(f[5], 16, 32)
		flags, flagsErr := strconv.ParseUint(f[8], 16, 32)
		b, hexErr := hex.DecodeString(f[4])
		gateway, ok := netip.AddrFromSlice(b)
		if err != nil || flagsErr != nil || hexErr != nil || !ok || flags&routeReject != 0 || f[9] == "lo" {
			continue
		}
		if gateway.IsLinkLocalUnicast() {
			gateway = gateway.WithZone(f[9])
		}
		ways = append(ways, outward{f[9], metric, gateway, false})
	}
	return byMetric(ways)
}

// routeReject is the flag of a route that refuses packets (RTF_REJECT).
const routeReject = 0x200

func byMetric(ways []outward) []outward {
	slices.SortStableFunc(ways, func(a, b outward) int { return cmp.Compare(a.metric, b.metric) })
	return ways
}

func namesOf(ways []outward) []string {
	var names []string
	for _, w := range ways {
		if !slices.Contains(names, w.name) {
			names = append(names, w.name)
		}
	}
	return names
}

func routersOf(ways []outward) []netip.Addr {
	var all []netip.Addr
	for _, w := range ways {
		if !w.gateway.IsUnspecified() && !slices.Contains(all, w.gateway) {
			all = append(all, w.gateway)
		}
	}
	return all
}
