package remux

// tsPacket is the length of a packet of a transport stream, in bytes.
const tsPacket = 188

// tsCounters are the continuity counters of a transport stream by PID (ISO/IEC 13818-1,
// 2.4.3.3). They go on where other tracks begin: to a demuxer a counter that does not is
// a packet that was lost. The zero value is ready.
type tsCounters map[uint16]byte

// number numbers whole packets.
func (c *tsCounters) number(b []byte) {
	const payload, count = 0x10, 0x0f // bits of the fourth byte
	if *c == nil {
		*c = make(tsCounters)
	}
	for ; len(b) >= tsPacket; b = b[tsPacket:] {
		pid := uint16(b[1]&0x1f)<<8 | uint16(b[2])
		if b[3]&payload != 0 {
			(*c)[pid] = ((*c)[pid] + 1) & count
		}
		b[3] = b[3]&^count | (*c)[pid]
	}
}
