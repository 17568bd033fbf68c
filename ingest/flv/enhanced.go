package flv

// Packet types of enhanced RTMP. Video and audio share the numbers that both have.
const (
	packetSequenceStart      = 0
	packetCodedFrames        = 1
	packetCodedFramesX       = 3 // video: composition time 0, left out
	packetMetadata           = 4 // video: colour information
	packetMultichannelConfig = 4 // audio
	packetMPEG2TSStart       = 5 // video: a sequence start in MPEG-2 TS form
	packetAudioMultitrack    = 5
	packetVideoMultitrack    = 6
	packetModEx              = 7
)

const (
	videoEnhancedBit    = 0x80 // in a video tag's first byte
	soundFormatEnhanced = 9    // in an audio tag's first four bits
	fourCCLen           = 4
	trackLenLen         = 3 // bytes of a track's length
	oneTrack            = 0 // a multitrack tag's kind, in four bits
	// modExLong is the 8-bit length of a modifier, plus one, that says that a
	// 16-bit one follows.
	modExLong = 256
)

// exHeader is the part of an enhanced tag header that says what the tag is.
type exHeader struct {
	packet byte
	codec  string
	fourCC string
	track  uint8  // of the first track, if there are several
	length int    // where the first of several tracks has its length, in 24 bits; 0 with one track
	at     int    // where body begins; both are counted from the start of what was parsed
	body   []byte // what follows, of that track; none if it is cut short
}

// parseEx parses what follows the first byte of an enhanced tag, whose low four
// bits are packet. multitrack is the packet type that wraps another one. It
// reports false for what is cut short.
func parseEx(b []byte, packet, multitrack byte) (exHeader, bool) {
	all := len(b)
	for packet == packetModEx {
		var ok bool
		if b, packet, ok = skipModEx(b); !ok {
			return exHeader{}, false
		}
	}
	h := exHeader{packet: packet}
	wrapped, several := packet == multitrack, false
	if wrapped {
		if len(b) < 1 {
			return exHeader{}, false
		}
		several = b[0]>>4 != oneTrack
		h.packet, b = b[0]&0x0f, b[1:]
	}
	if len(b) < fourCCLen {
		return exHeader{}, false
	}
	h.fourCC, b = string(b[:fourCCLen]), b[fourCCLen:]
	h.codec = fourCCs[h.fourCC]
	if wrapped {
		// With one codec for all or one for each, the first track's number comes
		// right after the first FourCC.
		if len(b) < 1 {
			return exHeader{}, false
		}
		h.track, b = b[0], b[1:]
	}
	h.at, h.body = all-len(b), b
	if several {
		h.length, h.at, h.body = h.at, h.at+trackLenLen, firstTrack(b)
	}
	return h, true
}

// extent returns where in a body of n bytes, which starts with b, what follows the header is of the
// first track; nothing if it is cut short.
func (h exHeader) extent(b []byte, n int) (from, to int) {
	from, to = 1+h.at, n
	if h.length > 0 {
		if len(b) < from {
			return from, from
		}
		if to = from + uint24(b[1+h.length:]); to > n {
			return from, from
		}
	}
	return from, to
}

// firstTrack returns the bytes of the first of several tracks, which their length in
// 24 bits precedes; none if they are cut short.
func firstTrack(b []byte) []byte {
	if len(b) < trackLenLen {
		return nil
	}
	n, b := uint24(b), b[trackLenLen:]
	if n > len(b) {
		return nil
	}
	return b[:n]
}

// skipModEx skips one modifier: its length minus one in 8 bits, or, if those are
// full, in 16; its data; its type and the next packet type, four bits each.
func skipModEx(b []byte) (rest []byte, packet byte, ok bool) {
	if len(b) < 1 {
		return nil, 0, false
	}
	n := int(b[0]) + 1
	b = b[1:]
	if n == modExLong {
		if len(b) < 2 {
			return nil, 0, false
		}
		n = (int(b[0])<<8 | int(b[1])) + 1
		b = b[2:]
	}
	if len(b) < n+1 {
		return nil, 0, false
	}
	return b[n+1:], b[n] & 0x0f, true
}
