package hostnet

import (
	"errors"
	"syscall"
)

// InUse reports whether a port could not be opened because another program has it.
func InUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaAddrInUse)
}

// PairInUse reports whether a connection could not be made from a local port that was asked for:
// another program has it, or there is a connection already between it and the other end's.
func PairInUse(err error) bool {
	return InUse(err) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, wsaAddrNotAvail)
}

// These are what Windows says: there, syscall.EADDRINUSE and the like are numbers that Go
// made up. No other system has errors of these numbers.
const (
	wsaNoFamily     = syscall.Errno(10047)
	wsaAddrInUse    = syscall.Errno(10048)
	wsaAddrNotAvail = syscall.Errno(10049)
	wsaNetUnreach   = syscall.Errno(10051)
	wsaConnAborted  = syscall.Errno(10053)
	wsaConnReset    = syscall.Errno(10054)
	wsaConnRefused  = syscall.Errno(10061)
)

// Hungup reports that the other end has closed or reset a connection.
// Windows says aborted where something is written after that.
func Hungup(err error) bool {
	for _, no := range []syscall.Errno{syscall.ECONNRESET, syscall.EPIPE, wsaConnReset, wsaConnAborted} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// Refused reports that a machine answers, and that nothing listens at the port.
func Refused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, wsaConnRefused)
}

// NoWay reports that an error means that this machine has no way at all to an address, as where it
// has none of the address's family.
func NoWay(err error) bool {
	for _, no := range []syscall.Errno{syscall.ENETUNREACH, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT, wsaNetUnreach, wsaAddrNotAvail, wsaNoFamily} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}
