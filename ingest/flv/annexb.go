package flv

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Types of H.264's NAL units (ITU-T H.264, table 7-1).
const (
	avcSlice    = 1 // the least type of a slice
	avcIDRSlice = 5 // the greatest
	avcSPS      = 7
	avcPPS      = 8
)

// maxUnits bounds the NAL units of one picture that is converted: several hundred slices are
// the most a level allows.
const maxUnits = 1024

// AnnexB turns H.264 with start codes (ITU-T H.264, annex B), which some encoders put into
// their tags, into what players of FLV expect: lengths in front of the units, and a decoder
// configuration. All else passes as it is. Its zero value is ready. It belongs to one goroutine.
type AnnexB struct {
	size     int // of the lengths that the configuration announces, 0 before the first
	sps, pps [][]byte
}

// Next returns what goes on in place of the next tag: a configuration, if the tag tells a new
// one and is none itself, and the tag. Either may be nil.
func (a *AnnexB) Next(t Tag) (config, media Tag) {
	if t.Type() != Video {
		return nil, t
	}
	f, ok := frameOf(t.Body())
	if !ok {
		return nil, t
	}
	if f.config && len(f.data) > 4 && f.data[0] == 1 { // an AVCDecoderConfigurationRecord
		a.size = int(f.data[4]&3) + 1
		a.sps, a.pps = nil, nil
		return nil, t
	}
	if !f.config && !a.framed(f.data) || f.config && !startsWithCode(f.data) {
		return nil, t
	}
	units, ok := splitUnits(f.data)
	if !ok {
		return nil, t
	}
	if a.learn(units) {
		a.size = 4
		config = NewTag(Video, t.Timestamp(), slices.Concat(f.configHead, a.record()))
	}
	if f.config {
		if config == nil && len(a.sps) == 0 {
			return nil, t // it tells nothing
		}
		return config, nil
	}
	if !slices.ContainsFunc(units, isSlice) {
		return config, nil // parameter sets that came by themselves
	}
	body := slices.Clone(f.head)
	for _, u := range units {
		body = append(binary.BigEndian.AppendUint32(body, uint32(len(u))), u...)
	}
	if len(body) > MaxBody {
		return config, t
	}
	return config, NewTag(Video, t.Timestamp(), body)
}

// framed reports whether a picture has start codes. Three bytes of one may also be the length
// of a first unit of some 300 bytes; four cannot, for no picture begins with a unit of one.
func (a *AnnexB) framed(b []byte) bool {
	return startsWithCode(b) && (b[2] == 0 || a.size == 0 || !wholeUnits(b, a.size))
}

// learn takes the parameter sets among units, and reports whether there are enough for a
// decoder, and others than before.
func (a *AnnexB) learn(units [][]byte) bool {
	sps, pps := ofType(units, avcSPS), ofType(units, avcPPS)
	changed := false
	for _, s := range []struct {
		old *[][]byte
		now [][]byte
	}{{&a.sps, sps}, {&a.pps, pps}} {
		if len(s.now) > 0 && !slices.EqualFunc(*s.old, s.now, bytes.Equal) {
			*s.old, changed = s.now, true
		}
	}
	return changed && len(a.sps) > 0 && len(a.pps) > 0
}

// record is the AVCDecoderConfigurationRecord of the parameter sets (ISO/IEC 14496-15,
// 5.3.3.1), without what some profiles may add: those who need that read it in the sets.
func (a *AnnexB) record() []byte {
	s := a.sps[0]
	b := []byte{1, s[1], s[2], s[3], 0xff, 0xe0 | byte(len(a.sps))}
	for i, sets := range [][][]byte{a.sps, a.pps} {
		if i == 1 {
			b = append(b, byte(len(sets)))
		}
		for _, u := range sets {
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(u))), u...)
		}
	}
	return b
}

// ofType returns copies of the units of a type that fit a configuration: 31 at most, of 64 KiB
// at most, and with a profile and a level.
func ofType(units [][]byte, typ byte) (all [][]byte) {
	const most, least = 31, 4
	for _, u := range units {
		if u[0]&0x1f == typ && len(u) <= 1<<16-1 && (typ != avcSPS || len(u) >= least) && len(all) < most {
			all = append(all, bytes.Clone(u))
		}
	}
	return all
}

func isSlice(u []byte) bool { typ := u[0] & 0x1f; return typ >= avcSlice && typ <= avcIDRSlice }

// avcFrame is the H.264 in a video tag's body.
type avcFrame struct {
	config     bool
	head       []byte // FLV's own framing
	configHead []byte // that of a configuration
	data       []byte
}

// frameOf takes a body apart. It reports false if it is no H.264, or has modifiers or tracks.
func frameOf(b []byte) (avcFrame, bool) {
	const plain = legacyShortest + offsetLen
	switch {
	case len(b) >= plain && b[0]&videoEnhancedBit == 0 && b[0]&0x0f == legacyAVC && b[0]>>4 != frameCommand && b[1] <= legacyCodedFrames:
		return avcFrame{b[1] == legacySequenceStart, b[:plain], []byte{frameKey<<4 | legacyAVC, legacySequenceStart, 0, 0, 0}, b[plain:]}, true
	case len(b) < 1+fourCCLen || b[0]&videoEnhancedBit == 0 || string(b[1:1+fourCCLen]) != "avc1" || b[0]>>4&frameTypeMask == frameCommand:
		return avcFrame{}, false
	}
	n := 1 + fourCCLen
	switch b[0] & 0x0f {
	case packetCodedFrames:
		n = min(n+offsetLen, len(b))
	case packetSequenceStart, packetCodedFramesX:
	default:
		return avcFrame{}, false
	}
	head := append([]byte{videoEnhancedBit | frameKey<<4 | packetSequenceStart}, "avc1"...)
	return avcFrame{b[0]&0x0f == packetSequenceStart, b[:n], head, b[n:]}, true
}

var startCode = []byte{0, 0, 1}

func startsWithCode(b []byte) bool {
	return bytes.HasPrefix(b, startCode) || len(b) > 0 && b[0] == 0 && bytes.HasPrefix(b[1:], startCode)
}

// splitUnits finds the units between start codes. It reports false if there are none, or more
// than a picture has.
func splitUnits(b []byte) (units [][]byte, ok bool) {
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
