package remux

import "encoding/binary"

const (
	// tsPacket is the length of a packet of a transport stream, in bytes.
	tsPacket = 188
	// tsProgramMap is the PID at which mediacommon's writer has the program map table.
	tsProgramMap = 0x1000
)

// tsCounters are what goes on in a transport stream where other tracks begin. The zero value is
// ready.
type tsCounters struct {
	// packets are the continuity counters by PID (ISO/IEC 13818-1, 2.4.3.3). To a demuxer a
	// counter that does not go on is a packet that was lost.
	packets map[uint16]byte
	// version is the program map's, modulo 32 (2.4.4.9). A demuxer passes over a table whose
	// version it knows.
	version byte
}

// number numbers whole packets and program maps.
func (c *tsCounters) number(b []byte) {
	const payload, count = 0x10, 0x0f // bits of the fourth byte
	if c.packets == nil {
		c.packets = make(map[uint16]byte)
	}
	for ; len(b) >= tsPacket; b = b[tsPacket:] {
		pid := uint16(b[1]&0x1f)<<8 | uint16(b[2])
		if b[3]&payload != 0 {
			c.packets[pid] = (c.packets[pid] + 1) & count
		}
		b[3] = b[3]&^count | c.packets[pid]
		if pid == tsProgramMap {
			putVersion(b[:tsPacket], c.version)
		}
	}
}

// putVersion sets the version of the table that begins and ends in a packet.
func putVersion(p []byte, version byte) {
	const start, adaptation = 0x40, 0x20 // bits of the second byte, and of the fourth
	const bits = 0x3e                    // of the table's sixth byte
	if p[1]&start == 0 {
		return
	}
	at := 4
	if p[3]&adaptation != 0 {
		at += 1 + int(p[at])
	}
	if at >= len(p) {
		return
	}
	if at += 1 + int(p[at]); at+6 > len(p) {
		return
	}
	end := at + 3 + (int(p[at+1]&0x0f)<<8 | int(p[at+2]))
	if end > len(p) || end < at+10 {
		return
	}
	p[at+5] = p[at+5]&^bits | version<<1&bits
	binary.BigEndian.PutUint32(p[end-4:], crcMPEG(p[at:end-4]))
}

// crcMPEG is the check of a table (ISO/IEC 13818-1, annex A), which no package of the standard
// library has: most significant bit first, and not inverted at the end.
func crcMPEG(b []byte) uint32 {
	const polynomial, top = 0x04c11db7, 1 << 31
	crc := ^uint32(0)
	for _, v := range b {
		crc ^= uint32(v) << 24
		for range 8 {
			if crc&top != 0 {
				crc = crc<<1 ^ polynomial
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
