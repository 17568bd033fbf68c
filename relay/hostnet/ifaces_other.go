//go:build !linux

package hostnet

import (
	"net"
	"slices"
)

// ifaces lists the interfaces that are up, loopback left out. The system is asked no more
// than package net can tell: it does not say which IPv6 addresses are temporary, nor which
// interfaces are bridges, and the way out is told by the address that packets leave from.
func ifaces() []iface {
	devices, _ := Devices() // without them there is no network to speak of
	out4, out6 := Outward(), Outward6()
	var all []iface
	for _, d := range devices {
		if d.Flags&net.FlagLoopback != 0 {
			continue
		}
		i := iface{name: d.Name, prefixes: d.Prefixes, tunnel: d.Flags&net.FlagPointToPoint != 0, idle: d.Flags&net.FlagRunning == 0}
		for _, p := range d.Prefixes {
			if p.Addr() == out4 || p.Addr() == out6 && i.way == 0 {
				i.way = 1
			}
		}
		all = append(all, i)
	}
	slices.SortStableFunc(all, func(a, b iface) int { return b.way - a.way })
	return all
}
