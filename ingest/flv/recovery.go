package flv

// Where a decoder recovers without a key frame.
const (
	avcSEI            = 6  // nal_unit_type (ITU-T H.264, table 7-1)
	hevcPrefixSEI     = 39 // nal_unit_type (ITU-T H.265, table 7-1)
	hevcCRA           = 21
	seiRecoveryPoint  = 6 // payloadType (H.264 and H.265, annex D)
	seiFull           = 0xff
	rbspTrailingStart = 0x80
)

// recovers reports whether a picture's NAL units say that a decoder which starts at it shows
// whole pictures soon after: an encoder with intra refresh marks one in each round.
func recovers(codec string, b []byte, size int) bool {
	for len(b) > size {
		n := 0
		for _, c := range b[:size] {
			n = n<<8 | int(c)
		}
		if b = b[size:]; n > len(b) {
			return false
		}
		if n > 0 && UnitRecovers(codec, b[:n]) {
			return true
		}
		b = b[n:]
	}
	return false
}

// UnitRecovers reports whether a NAL unit, which is not empty, of a codec, as [Kind] names it, says
// that a decoder which starts at its picture shows whole pictures soon after.
func UnitRecovers(codec string, u []byte) bool {
	switch codec {
	case h264:
		return u[0]&0x1f == avcSEI && hasRecoveryPoint(u[1:])
	case hevc:
		typ := u[0] >> 1 & 0x3f
		return typ == hevcCRA || typ == hevcPrefixSEI && len(u) > 2 && hasRecoveryPoint(u[2:])
	}
	return false
}

// hasRecoveryPoint looks through the messages of an SEI unit (H.264, 7.3.2.3.1). Emulation
// prevention is not undone: it can only hide a message behind a large one.
func hasRecoveryPoint(b []byte) bool {
	for len(b) > 1 && b[0] != rbspTrailingStart {
		typ, rest := seiNumber(b)
		size, payload := seiNumber(rest)
		if typ == seiRecoveryPoint && size > 0 && size <= len(payload) {
			return true
		}
		if size >= len(payload) {
			return false
		}
		b = payload[size:]
	}
	return false
}

// seiNumber reads a number that bytes of 255 and a last, smaller one add up to.
func seiNumber(b []byte) (n int, rest []byte) {
	for len(b) > 0 {
		c := b[0]
		n, b = n+int(c), b[1:]
		if c != seiFull {
			break
		}
	}
	return n, b
}
