package remux

// Stream IDs of PES packets (ISO/IEC 13818-1, 2.4.3.7).
const streamVideo, streamAudio = 0xe0, 0xc0

// Bits of a packet, of its adaptation field and of a PES header.
const (
	tsSync       = 0x47
	tsUnitStart  = 0x40 // of the second byte: a PES packet or a table begins
	tsAdaptation = 0x20 // of the fourth: there is an adaptation field
	tsPayload    = 0x10 // likewise: there is something else
	afRandom     = 0x40 // of the adaptation field's flags: a decoder may begin here
	afClock      = 0x10 // likewise: there is a clock reference
	pesMarker    = 0x80 // of the seventh byte of a PES header
	pesShown     = 0x80 // of the eighth: there is a presentation time
	pesDecoded   = 0x40 // likewise: there is a decoding time, too
)

const (
	tsHeadLen  = 4
	afHeadLen  = 2 // its length, and flags
	clockLen   = 6
	pesHeadLen = 9
	timeLen    = 5
	// clockAhead is how long before it is decoded a frame is there, by the clock reference, in
	// tsRate. VLC needs some.
	clockAhead = tsRate / 10
)

// pes is a frame as a PES packet (2.4.3.6). Times are in 33 bits, as [tsTime] has them.
type pes struct {
	pid            uint16
	stream         byte
	shown, decoded int64
	random         bool // a decoder may begin here
	clocked        bool // the clock reference goes with it
}

// append appends the packets of a frame whose data is in these parts. count is the PID's continuity
// counter.
func (p pes) append(b []byte, data [][]byte, count *byte) []byte {
	left := 0
	for _, d := range data {
		left += len(d)
	}
	var buf [pesHeadLen + 2*timeLen]byte
	head := p.head(buf[:0], left)
	left += len(head)
	part, next := head, data
	for first := true; left > 0; first = false {
		*count = (*count + 1) & tsCount
		start := len(b)
		b = append(b, tsSync, byte(p.pid>>8), byte(p.pid), tsPayload|*count)
		if first {
			b[start+1] |= tsUnitStart
			b = p.adapt(b)
		}
		if room := start + tsPacket - len(b); left < room {
			b = stuff(b, start, room-left)
		}
		if len(b) > start+tsHeadLen {
			b[start+3] |= tsAdaptation
		}
		for end := start + tsPacket; len(b) < end; {
			for len(part) == 0 {
				part, next = next[0], next[1:]
			}
			n := min(len(part), end-len(b))
			b = append(b, part[:n]...)
			part, left = part[n:], left-n
		}
	}
	return b
}

// head appends the PES packet's header. n is how long its data is.
func (p pes) head(b []byte, n int) []byte {
	flags, times := byte(pesShown), timeLen
	if p.shown != p.decoded {
		flags, times = pesShown|pesDecoded, 2*timeLen
	}
	length := pesHeadLen - 6 + times + n
	if p.stream == streamVideo || length > 0xffff {
		length = 0 // it is not told
	}
	b = append(b, 0, 0, 1, p.stream, byte(length>>8), byte(length), pesMarker, flags, byte(times))
	if flags == pesShown {
		return putTime(append(b, 2<<4, 0, 0, 0, 0), len(b), p.shown)
	}
	b = putTime(append(b, 3<<4, 0, 0, 0, 0), len(b), p.shown)
	return putTime(append(b, 1<<4, 0, 0, 0, 0), len(b), p.decoded)
}

// adapt appends the adaptation field of a frame's first packet, if it needs one.
func (p pes) adapt(b []byte) []byte {
	switch {
	case p.clocked:
		b = append(b, afHeadLen-1+clockLen, afClock, 0, 0, 0, 0, 0, 0)
		putClock(b[len(b)-clockLen:], p.decoded)
	case p.random:
		b = append(b, afHeadLen-1, 0)
	}
	if p.random {
		at := len(b) - 1
		if p.clocked {
			at -= clockLen
		}
		b[at] |= afRandom
	}
	return b
}

// stuff makes the adaptation field of the packet at start longer by n bytes, or makes one of n
// bytes.
func stuff(b []byte, start, n int) []byte {
	if len(b) > start+tsHeadLen {
		b[start+tsHeadLen] += byte(n)
	} else {
		b = append(b, byte(n-1))
		if n--; n > 0 {
			b = append(b, 0)
			n--
		}
	}
	for range n {
		b = append(b, 0xff)
	}
	return b
}

// putTime puts a time behind the four bits that are at b[at] already.
func putTime(b []byte, at int, t int64) []byte {
	p := b[at : at+timeLen]
	p[0] = p[0]&0xf0 | byte(t>>29)&0x0e | 1
	p[1] = byte(t >> 22)
	p[2] = byte(t>>14) | 1
	p[3] = byte(t >> 7)
	p[4] = byte(t<<1) | 1
	return b
}

// putClock puts the clock reference of what is decoded at a time.
func putClock(p []byte, decoded int64) {
	c := (decoded - clockAhead) & tsMask
	p[0], p[1], p[2], p[3] = byte(c>>25), byte(c>>17), byte(c>>9), byte(c>>1)
	p[4] = byte(c<<7) | 0x7e // the base's last bit, and six that are not used
	p[5] = 0
}

// restamp gives the frame whose first packet this is another time, at which it is decoded and
// shown.
func restamp(packet []byte, t int64) {
	at := tsHeadLen
	if packet[3]&tsAdaptation != 0 {
		if n := int(packet[at]); n > 0 && packet[at+1]&afClock != 0 {
			putClock(packet[at+afHeadLen:at+afHeadLen+clockLen], t)
		}
		at += 1 + int(packet[at])
	}
	flags := packet[at+7]
	putTime(packet, at+pesHeadLen, t)
	if flags&pesDecoded != 0 {
		putTime(packet, at+pesHeadLen+timeLen, t)
	}
}
