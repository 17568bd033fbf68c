package flv

import "bytes"

// maxUnits bounds the NAL units of one picture that is converted: several hundred slices are
// the most a level allows.
const maxUnits = 1024

// startCode stands in front of each NAL unit of a byte stream (ITU-T H.264 and H.265, annex B).
var startCode = []byte{0, 0, 1}

func startsWithCode(b []byte) bool {
	return bytes.HasPrefix(b, startCode) || len(b) > 0 && b[0] == 0 && bytes.HasPrefix(b[1:], startCode)
}

// SplitUnits finds the NAL units between start codes. It reports false if there are none, or more
// than a picture has. They share the memory of b, and none is empty.
func SplitUnits(b []byte) (units [][]byte, ok bool) {
	for {
		at := bytes.Index(b, startCode)
		u := b
		if at >= 0 {
			u = b[:at]
		}
		// The zero bytes behind a unit belong to the stream (B.1.1).
		if u = bytes.TrimRight(u, "\x00"); len(u) > 0 {
			units = append(units, u)
		}
		if at < 0 || len(units) > maxUnits {
			return units, len(units) > 0 && len(units) <= maxUnits
		}
		b = b[at+len(startCode):]
	}
}
