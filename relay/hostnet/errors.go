package hostnet

import (
	"errors"
	"net"
	"net/url"
	"syscall"
)

// InUse reports whether a port could not be opened because another program has it.
func InUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaAddrInUse)
}

// wsaAddrInUse is what Windows says: there, syscall.EADDRINUSE is a number that Go
// made up. No other system has an error of that number.
const wsaAddrInUse = syscall.Errno(10048)

// Bare strips what net and net/http put around the system's own words.
func Bare(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// NoWay reports that an error means that this machine has no way at all to an address, as where it
// has none of the address's family.
func NoWay(err error) bool {
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}
