package hostnet

import (
	"errors"
	"net"
	"syscall"
)

// InUse reports whether a port could not be opened because another program has it.
func InUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaAddrInUse)
}

// wsaAddrInUse is what Windows says: there, syscall.EADDRINUSE is a number that Go
// made up. No other system has an error of that number.
const wsaAddrInUse = syscall.Errno(10048)

// Bare strips what net puts around the system's own words.
func Bare(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
