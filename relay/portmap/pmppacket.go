package portmap

import (
	"encoding/binary"
	"net/netip"
)

// Sizes and numbers of NAT-PMP packets (RFC 6886 §3).
const (
	pmpVersion    = 0
	pmpAddress    = 0
	pmpMapUDP     = 1
	pmpMapTCP     = 2
	pmpAnswers    = 0x80
	pmpAddressLen = 12
	pmpMapLen     = 16
	pmpErrorLen   = 8 // version, operation, result and clock: all that an error needs
	pmpBadVersion = 1
)

// pmpRequest asks for a mapping, or for the router's address.
type pmpRequest struct {
	op       byte
	internal uint16
	external uint16 // suggested
	lifetime uint32 // seconds; 0 removes the mapping, and external is 0 then
}

// pmpAnswer is what a router says to it. Of an error, only op, result and epoch are set.
type pmpAnswer struct {
	op       byte
	result   uint16
	epoch    uint32 // seconds
	address  netip.Addr
	internal uint16
	external uint16
	lifetime uint32 // seconds
}

func (r pmpRequest) append(b []byte) []byte {
	b = append(b, pmpVersion, r.op)
	if r.op == pmpAddress {
		return b
	}
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, r.internal)
	b = binary.BigEndian.AppendUint16(b, r.external)
	return binary.BigEndian.AppendUint32(b, r.lifetime)
}

// parsePMP reads an answer. What is longer than it should be is cut, as some routers pad.
func parsePMP(b []byte) (pmpAnswer, error) {
	if len(b) < pmpErrorLen || len(b) > pcpMost || b[0] != pmpVersion || b[1]&pmpAnswers == 0 {
		return pmpAnswer{}, errMalformed
	}
	a := pmpAnswer{op: b[1] &^ pmpAnswers, result: binary.BigEndian.Uint16(b[2:]), epoch: binary.BigEndian.Uint32(b[4:])}
	switch {
	case a.result != 0:
		return a, nil
	case a.op == pmpAddress && len(b) >= pmpAddressLen:
		a.address = netip.AddrFrom4([4]byte(b[8:]))
		return a, nil
	case (a.op == pmpMapUDP || a.op == pmpMapTCP) && len(b) >= pmpMapLen:
		a.internal = binary.BigEndian.Uint16(b[8:])
		a.external = binary.BigEndian.Uint16(b[10:])
		a.lifetime = binary.BigEndian.Uint32(b[12:])
		return a, nil
	}
	return pmpAnswer{}, errMalformed
}

// pmpReason is what a result code means, and its name (RFC 6886 §3.5).
func pmpReason(code uint16) (Reason, string) {
	switch code {
	case 0:
		return None, "success"
	case pmpBadVersion:
		return Unsupported, "unsupported version"
	case 2:
		return Refused, "not authorized"
	case 3:
		return NoAddress, "network failure"
	case 4:
		return Full, "out of resources"
	case 5:
		return Unsupported, "unsupported operation"
	}
	return Broken, "unknown"
}
