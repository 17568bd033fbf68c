//go:build !linux

package hostnet

import "net/netip"

// gateways is known on Linux only, where containers are.
func gateways() []netip.Addr { return nil }
