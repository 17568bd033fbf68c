package portmap

import (
	"encoding/binary"
	"net/netip"
)

// Sizes and numbers of PCP packets (RFC 6887 §7, §11.1).
const (
	pcpVersion  = 2
	pcpAnnounce = 0
	pcpMap      = 1
	pcpAnswers  = 0x80 // set in the operation of an answer
	pcpHeadLen  = 24
	pcpMapLen   = pcpHeadLen + 36
	pcpMost     = 1100 // the longest packet, §7
)

// nonce ties answers and renewals to a mapping.
type nonce [12]byte

// pcpRequest asks for a mapping, or only for the router's clock (ANNOUNCE).
type pcpRequest struct {
	op       byte
	lifetime uint32 // seconds; 0 removes the mapping
	client   netip.Addr
	// The rest is of a MAP request alone.
	nonce    nonce
	protocol byte
	internal uint16
	external uint16 // suggested; 0 if it does not matter
}

// pcpAnswer is what a router says to it. Of an answer without a mapping, the fields from
// nonce on are zero.
type pcpAnswer struct {
	op       byte
	result   byte
	lifetime uint32 // seconds; of an error, how long it will stay so
	epoch    uint32 // seconds
	mapped   bool   // the fields below were there
	nonce    nonce
	protocol byte
	internal uint16
	external uint16
	address  netip.Addr
}

func (r pcpRequest) append(b []byte) []byte {
	b = append(b, pcpVersion, r.op, 0, 0)
	b = binary.BigEndian.AppendUint32(b, r.lifetime)
	client := r.client.As16() // an IPv4 address in IPv6's way, §5
	b = append(b, client[:]...)
	if r.op != pcpMap {
		return b
	}
	b = append(b, r.nonce[:]...)
	b = append(b, r.protocol, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, r.internal)
	b = binary.BigEndian.AppendUint16(b, r.external)
	// No address is suggested, in the client's family.
	none := netip.IPv6Unspecified()
	if r.client.Unmap().Is4() {
		none = netip.IPv4Unspecified()
	}
	none16 := none.As16()
	return append(b, none16[:]...)
}

// parsePCP reads an answer. A router that speaks NAT-PMP alone says so in a packet of its
// own version, which is told as errOldVersion.
func parsePCP(b []byte) (pcpAnswer, error) {
	if len(b) >= 4 && b[0] == pmpVersion && binary.BigEndian.Uint16(b[2:]) == pmpBadVersion {
		return pcpAnswer{}, errOldVersion
	}
	if len(b) < pcpHeadLen || len(b) > pcpMost || len(b)%4 != 0 || b[1]&pcpAnswers == 0 {
		return pcpAnswer{}, errMalformed
	}
	if b[0] != pcpVersion {
		return pcpAnswer{}, errOldVersion
	}
	a := pcpAnswer{
		op: b[1] &^ pcpAnswers, result: b[3],
		lifetime: binary.BigEndian.Uint32(b[4:]), epoch: binary.BigEndian.Uint32(b[8:]),
	}
	if a.op != pcpMap || len(b) < pcpMapLen {
		return a, nil
	}
	a.mapped = true
	a.nonce = nonce(b[24:])
	a.protocol = b[36]
	a.internal = binary.BigEndian.Uint16(b[40:])
	a.external = binary.BigEndian.Uint16(b[42:])
	a.address = netip.AddrFrom16([16]byte(b[44:])).Unmap()
	return a, nil
}

// pcpReason is what a result code means, and its name (RFC 6887 §7.4).
func pcpReason(code byte) (Reason, string) {
	switch code {
	case 0:
		return None, "SUCCESS"
	case 1:
		return Unsupported, "UNSUPP_VERSION"
	case 2:
		return Refused, "NOT_AUTHORIZED"
	case 3:
		return Broken, "MALFORMED_REQUEST"
	case 4:
		return Unsupported, "UNSUPP_OPCODE"
	case 5:
		return Unsupported, "UNSUPP_OPTION"
	case 6:
		return Broken, "MALFORMED_OPTION"
	case 7:
		return NoAddress, "NETWORK_FAILURE"
	case 8:
		return Full, "NO_RESOURCES"
	case 9:
		return Unsupported, "UNSUPP_PROTOCOL"
	case 10:
		return Full, "USER_EX_QUOTA"
	case 11:
		return Full, "CANNOT_PROVIDE_EXTERNAL"
	case 12:
		return DoubleNAT, "ADDRESS_MISMATCH" // somebody between us and it rewrote our address
	case 13:
		return Full, "EXCESSIVE_REMOTE_PEERS"
	}
	return Broken, "unknown"
}
