package mpegts

// maxPES bounds a unit, in bytes: no tag that can be played is longer.
const maxPES = 8 << 20

// pes puts the units of one PID together (2.4.3.6). The zero value is ready.
type pes struct {
	continuity
	buf    []byte
	begun  bool // buf is the start of a unit
	whole  int  // how long that unit is, 0 if it does not say
	lost   bool // something is missing since the last unit that was whole
	broken uint64
}

// next takes the next packet, and calls each with every unit that it completes. lost says that
// something is missing in front of it.
func (p *pes) next(k packet, each func(unit []byte, lost bool)) {
	again, lost := p.continuity.next(k)
	if again {
		return
	}
	if lost || k.damaged {
		p.drop()
	}
	if k.starts {
		p.finish(each)
		p.begun, p.buf = true, p.buf[:0]
	}
	if !p.begun || k.damaged {
		return
	}
	if len(p.buf)+len(k.payload) > maxPES {
		p.drop()
		return
	}
	p.buf = append(p.buf, k.payload...)
	if p.whole == 0 && len(p.buf) >= 6 {
		if n := int(p.buf[4])<<8 | int(p.buf[5]); n > 0 {
			p.whole = 6 + n
		}
	}
	if p.whole > 0 && len(p.buf) >= p.whole {
		p.buf = p.buf[:p.whole]
		p.finish(each)
	}
}

// finish ends the unit that has begun. One that is shorter than it says has lost its end.
func (p *pes) finish(each func(unit []byte, lost bool)) {
	switch {
	case !p.begun:
	case p.whole > 0 && len(p.buf) < p.whole:
		p.drop()
	default:
		each(p.buf, p.lost)
		p.lost = false
	}
	p.begun, p.whole = false, 0
}

// drop leaves out the unit that has begun.
func (p *pes) drop() {
	if p.begun {
		p.broken++
	}
	p.begun, p.whole, p.lost = false, 0, true
}

// pesUnit is what a unit has.
type pesUnit struct {
	pts, dts       uint64 // 33 bits
	hasPTS, hasDTS bool
	scrambled      bool
	data           []byte
}

// parsePES takes a unit apart (2.4.3.7). It reports false for one that is none of pictures or sound.
func parsePES(b []byte) (u pesUnit, ok bool) {
	const head = 9
	if len(b) < head || b[0] != 0 || b[1] != 0 || b[2] != 1 || b[6]>>6 != 2 {
		return u, false
	}
	u.scrambled = b[6]>>4&3 != 0
	n := head + int(b[8])
	if n > len(b) {
		return u, false
	}
	times := b[head:n]
	if flags := b[7] >> 6; flags&2 != 0 && len(times) >= 5 {
		u.hasPTS, u.pts = true, stamp(times)
		if flags&1 != 0 && len(times) >= 10 {
			u.hasDTS, u.dts = true, stamp(times[5:])
		}
	}
	u.data = b[n:]
	return u, true
}

// stamp reads a time of 33 bits.
func stamp(b []byte) uint64 {
	return uint64(b[0]>>1&7)<<30 | uint64(b[1])<<22 | uint64(b[2]>>1)<<15 | uint64(b[3])<<7 | uint64(b[4]>>1)
}

// opusPackets calls each with the packets of Opus in a unit ("Encapsulation of Opus in MPEG-TS",
// table 3-5), and reports whether all were whole.
func opusPackets(b []byte, each func([]byte)) bool {
	for len(b) > 0 {
		if len(b) < 2 || b[0] != 0x7f || b[1]&0xe0 != 0xe0 {
			return false
		}
		flags, size := b[1], 0
		b = b[2:]
		for {
			if len(b) == 0 {
				return false
			}
			c := int(b[0])
			size, b = size+c, b[1:]
			if c != 0xff {
				break
			}
		}
		if flags&0x10 != 0 { // samples to leave out at the start
			b = b[min(2, len(b)):]
		}
		if flags&0x08 != 0 { // and at the end
			b = b[min(2, len(b)):]
		}
		if flags&0x04 != 0 { // what an extension adds
			if len(b) == 0 {
				return false
			}
			b = b[min(1+int(b[0]), len(b)):]
		}
		if size == 0 || size > len(b) {
			return false
		}
		each(b[:size])
		b = b[size:]
	}
	return true
}
