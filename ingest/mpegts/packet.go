package mpegts

const (
	packetLen = 188
	syncByte  = 0x47
	headLen   = 4
	nullPID   = 0x1fff
	patPID    = 0
)

// packet is one transport packet (2.4.3.2).
type packet struct {
	pid       uint16
	starts    bool // a unit begins in it
	damaged   bool // whoever received it says so
	scrambled bool
	counter   byte
	announced bool   // that the counter jumps
	payload   []byte // nil if there is none
}

// parsePacket takes packetLen bytes apart. It reports false for what is no packet.
func parsePacket(b []byte) (p packet, ok bool) {
	if b[0] != syncByte {
		return p, false
	}
	p.damaged, p.starts = b[1]&0x80 != 0, b[1]&0x40 != 0
	p.pid = uint16(b[1]&0x1f)<<8 | uint16(b[2])
	p.scrambled, p.counter = b[3]>>6 != 0, b[3]&15
	at := headLen
	if b[3]&0x20 != 0 { // an adaptation field
		n := int(b[at])
		if at++; n > packetLen-at {
			return p, false
		}
		p.announced = n > 0 && b[at]&0x80 != 0
		at += n
	}
	if b[3]&0x10 != 0 {
		p.payload = b[at:packetLen]
	}
	return p, true
}

// continuity finds out whether packets of one PID are missing (2.4.3.3). The zero value is ready.
type continuity struct {
	begun  bool
	last   byte
	newest [packetLen - headLen]byte // the payload of the newest packet, to know it again
	n      int
}

// next reports whether a packet with a payload is one that was there before, and whether others are
// missing in front of it.
func (c *continuity) next(p packet) (again, lost bool) {
	switch {
	case !c.begun, p.announced:
	case p.counter == c.last && string(p.payload) == string(c.newest[:c.n]):
		return true, false
	default:
		lost = p.counter != (c.last+1)&15
	}
	c.begun, c.last = true, p.counter
	c.n = copy(c.newest[:], p.payload)
	return false, lost
}
