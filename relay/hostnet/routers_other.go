//go:build !linux && !windows && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package hostnet

import "net/netip"

// routers is not known on this system.
func routers() []netip.Addr { return nil }
