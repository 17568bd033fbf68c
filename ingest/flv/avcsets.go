package flv

import (
	"bytes"
	"encoding/binary"
	"iter"
	"math/bits"
)

// Bounds of a configuration (ISO/IEC 14496-15, 5.3.3.1). A unit's length has 16 bits there.
const (
	maxSPS   = 31
	maxPPS   = 255
	leastSPS = 5 // its type, a profile, a level, and its number
	maxSet   = 1<<16 - 1
)

// AVCSets are the parameter sets of H.264 that are in force, each under its number. Its zero
// value has none. It belongs to one goroutine.
type AVCSets struct{ sps, pps []avcSet }

type avcSet struct {
	id   int
	unit []byte
}

// Learn takes the parameter sets among NAL units, none of which is empty, and reports whether one
// is new. It copies what it keeps.
func (s *AVCSets) Learn(units iter.Seq[[]byte]) bool {
	changed := false
	for u := range units {
		switch typ := u[0] & 0x1f; {
		case len(u) > maxSet:
		case typ == avcSPS && len(u) >= leastSPS:
			changed = put(&s.sps, u, u[4:], maxSPS) || changed
		case typ == avcPPS && len(u) > 1:
			changed = put(&s.pps, u, u[1:], maxPPS) || changed
		}
	}
	return changed
}

// put takes a unit, whose number stands at the beginning of rest, in place of the one that had
// this number before. It reports whether that was another one.
func put(to *[]avcSet, unit, rest []byte, most int) bool {
	id, ok := expGolomb(rest)
	if !ok {
		return false
	}
	for i, s := range *to {
		if s.id == id {
			(*to)[i].unit = bytes.Clone(unit)
			return !bytes.Equal(s.unit, unit)
		}
	}
	if len(*to) == most {
		return false
	}
	*to = append(*to, avcSet{id, bytes.Clone(unit)})
	return true
}

// expGolomb reads a number of less than 256 (ITU-T H.264, 9.1).
func expGolomb(b []byte) (n int, ok bool) {
	var v [4]byte
	copy(v[:], b)
	w := binary.BigEndian.Uint32(v[:])
	zeros := bits.LeadingZeros32(w)
	if zeros > 8 || 2*zeros+1 > 8*len(b) {
		return 0, false
	}
	return int(w>>(31-2*zeros)) - 1, true
}

// Whole reports whether a decoder can begin with the sets.
func (s *AVCSets) Whole() bool { return len(s.sps) > 0 && len(s.pps) > 0 }

// SPS is the sequence parameter set that came first, nil before.
func (s *AVCSets) SPS() []byte {
	if len(s.sps) == 0 {
		return nil
	}
	return s.sps[0].unit
}

// Units are the sets as NAL units, those of sequences first.
func (s *AVCSets) Units() (units [][]byte) {
	for _, sets := range [][]avcSet{s.sps, s.pps} {
		for _, set := range sets {
			units = append(units, set.unit)
		}
	}
	return units
}

// Record is the AVCDecoderConfigurationRecord of the sets, which are whole, for lengths of so many
// bytes, without what some profiles may add: those who need that read it in the sets.
func (s *AVCSets) Record(size int) []byte {
	first := s.sps[0].unit
	b := []byte{1, first[1], first[2], first[3], 0xfc | byte(size-1), 0xe0 | byte(len(s.sps))}
	for i, sets := range [][]avcSet{s.sps, s.pps} {
		if i == 1 {
			b = append(b, byte(len(sets)))
		}
		for _, set := range sets {
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(set.unit))), set.unit...)
		}
	}
	return b
}
