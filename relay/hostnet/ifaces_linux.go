package hostnet

import (
	"net"
	"os"
	"slices"
)

// ifaces lists the interfaces that are up, loopback left out.
func ifaces() []iface {
	devices, _ := Devices() // without them there is no network to speak of
	known, marks, ways := withNeighbours(links()), marked(), outwardNames()
	var all []iface
	for _, d := range devices {
		if d.Flags&net.FlagLoopback != 0 {
			continue
		}
		l, ok := known[d.Index]
		all = append(all, iface{
			name:     d.Name,
			prefixes: d.Prefixes,
			way:      1 + slices.Index(ways, d.Name),
			tunnel:   l.tunnel || d.Flags&net.FlagPointToPoint != 0,
			inner:    l.inner,
			idle:     ok && !l.up,
			passing:  marks[d.Index].passing,
			unfit:    marks[d.Index].unfit,
		})
	}
	return all
}

// outwardNames are the interfaces with a default route, that with the least metric first:
// IPv4 ones, then those that have one for IPv6 alone. A VPN that takes all traffic leaves
// them in this table, as a rule, and has routes that are more special.
func outwardNames() []string {
	four, _ := os.ReadFile(routeFile)
	six, _ := os.ReadFile(routeFile6)
	names := defaultRoutes(string(four))
	for _, n := range defaultRoutes6(string(six)) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}
