//go:build !linux && !darwin

package relay

import "net"

// boundUnsent needs a socket option that this system does not have.
func boundUnsent(net.Conn) error { return nil }
