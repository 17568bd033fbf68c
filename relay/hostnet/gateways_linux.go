package hostnet

import (
	"encoding/binary"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// routeFile is the kernel's table of IPv4 routes (proc_net(5)).
const routeFile = "/proc/net/route"

// gateways is the routers that this machine's default routes lead to, IPv4 only:
// nobody rewrites addresses on the way in for IPv6. None if that cannot be told.
func gateways() []netip.Addr {
	b, err := os.ReadFile(routeFile)
	if err != nil {
		return nil
	}
	return parseRoutes(string(b))
}

// parseRoutes reads the gateways of default routes from the kernel's table: an
// interface, a destination and a gateway first in each line, the addresses as words of
// this machine.
func parseRoutes(table string) []netip.Addr {
	var all []netip.Addr
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 3 || f[1] != "00000000" {
			continue
		}
		word, err := strconv.ParseUint(f[2], 16, 32)
		if err != nil || word == 0 {
			continue
		}
		var b [4]byte
		binary.NativeEndian.PutUint32(b[:], uint32(word))
		all = append(all, netip.AddrFrom4(b))
	}
	return all
}
