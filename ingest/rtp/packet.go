package rtp

import (
	"encoding/binary"
	"errors"
)

// ErrMalformed refuses what is no packet of RTP.
var ErrMalformed = errors.New("no packet of RTP")

// Packet is one packet (RFC 3550, 5.1).
type Packet struct {
	Seq     uint16
	Time    uint32 // in the clock of its codec
	Type    uint8  // of the payload, as the session's description has it
	Marker  bool   // it is the last of a picture
	Payload []byte // shares the memory of what was parsed
}

// Parse reads a packet: the fixed head, the list of contributors, an extension, padding.
func Parse(b []byte) (p Packet, err error) {
	const fixed, version = 12, 2
	if len(b) < fixed || b[0]>>6 != version {
		return p, ErrMalformed
	}
	p = Packet{
		Seq: binary.BigEndian.Uint16(b[2:]), Time: binary.BigEndian.Uint32(b[4:]),
		Type: b[1] & 0x7f, Marker: b[1]&0x80 != 0,
	}
	at := fixed + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 {
		if len(b) < at+4 {
			return p, ErrMalformed
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	end := len(b)
	if b[0]&0x20 != 0 { // the last byte says how many there are of padding
		end -= int(b[end-1])
	}
	if at > end || b[0]&0x20 != 0 && b[len(b)-1] == 0 {
		return p, ErrMalformed
	}
	p.Payload = b[at:end]
	return p, nil
}
