package convert

import (
	"bytes"
	"encoding/binary"

	"github.com/bluenviron/mediacommon/v2/pkg/bits"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"relay/ingest/flv"
)

// hevc knows HEVC (ITU-T H.265).
type hevc struct {
	sets   [3]hevcSets // VPS, SPS, PPS
	record []byte      // of the sets, nil if they are not whole
	shows  size
	units  [][]byte // of one picture
	data   []byte
}

// hevcSets are the parameter sets of one type in force, each under its number.
type hevcSets []hevcSet

type hevcSet struct {
	id   uint32
	unit []byte
}

// mostSets bounds the numbers of parameter sets: PPS have the most (7.4.3.3.1). maxSet bounds their
// length, for which a record has 16 bits, and leastSet is how long a head and a number are.
const (
	mostSets = 64
	maxSet   = 1<<16 - 1
	leastSet = 3
)

func (h *hevc) config() ([]byte, size) { return h.record, h.shows }

func (h *hevc) next(u Unit) (p picture, ok bool) {
	all := unitsOf(u, h.units[:0])
	h.units = all[:0]
	p.broke = h.learn(all)
	kept := h.units
	for _, n := range all {
		switch typ := hevcType(n); {
		case typ >= h265.NALUType_VPS_NUT && typ <= h265.NALUType_FD_NUT:
			continue // parameter sets, delimiters, ends, filler
		case len(n) < leastSet:
			continue
		case typ >= h265.NALUType_BLA_W_LP && typ <= h265.NALUType_RSV_IRAP_VCL23:
			idr := typ == h265.NALUType_IDR_W_RADL || typ == h265.NALUType_IDR_N_LP
			p.key, p.open, ok = true, !idr, true
		case typ < h265.NALUType_VPS_NUT:
			ok = true
		default:
			p.recovers = p.recovers || flv.UnitRecovers("hevc", n)
		}
		kept = append(kept, n)
	}
	p.open = p.open || !p.key
	h.units = kept
	h.data = framed(h.data[:0], kept)
	p.data, p.nals = h.data, kept
	if p.key {
		p.sets = h.all()
	}
	return p, ok
}

func hevcType(u []byte) h265.NALUType { return h265.NALUType(u[0] >> 1 & 0x3f) }

// learn takes parameter sets, and reports whether there is another sequence.
func (h *hevc) learn(units [][]byte) (broke bool) {
	known, changed := h.record != nil, false
	for _, u := range units {
		switch typ := hevcType(u); {
		case len(u) < leastSet || len(u) > maxSet:
		case typ == h265.NALUType_VPS_NUT:
			changed = h.sets[0].put(uint32(u[2]>>4), u) || changed
		case typ == h265.NALUType_SPS_NUT:
			var sps h265.SPS
			if sps.Unmarshal(bytes.Clone(u)) == nil && h.sets[1].put(uint32(sps.ID), u) {
				changed, broke = true, true
			}
		case typ == h265.NALUType_PPS_NUT:
			pos := 0
			if id, err := bits.ReadGolombUnsigned(u[2:], &pos); err == nil {
				changed = h.sets[2].put(id, u) || changed
			}
		}
	}
	if !changed || len(h.sets[0]) == 0 || len(h.sets[1]) == 0 || len(h.sets[2]) == 0 {
		return false
	}
	h.describe()
	return broke && known
}

// put takes a unit in place of the one that had its number before. It reports whether that was
// another one.
func (s *hevcSets) put(id uint32, unit []byte) bool {
	for i := range *s {
		if old := &(*s)[i]; old.id == id {
			if bytes.Equal(old.unit, unit) {
				return false
			}
			old.unit = bytes.Clone(unit)
			return true
		}
	}
	if len(*s) == mostSets {
		return false
	}
	*s = append(*s, hevcSet{id, bytes.Clone(unit)})
	return true
}

func (h *hevc) all() (units [][]byte) {
	for _, sets := range h.sets {
		for _, s := range sets {
			units = append(units, s.unit)
		}
	}
	return units
}

// describe makes the HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1) of the sets.
func (h *hevc) describe() {
	const (
		head    = 2  // of a NAL unit
		general = 12 // bytes of profile, tier, level and constraints, as a SPS has them behind its first byte
		whole   = 0x80
	)
	var sps h265.SPS
	unit := bytes.Clone(h.sets[1][0].unit)
	if sps.Unmarshal(unit) != nil {
		return // it was read when it was taken
	}
	raw := h264.EmulationPreventionRemove(unit)
	if len(raw) < head+1+general {
		return
	}
	h.shows = size{sps.Width(), sps.Height(), sps.FPS()}
	nested := byte(0)
	if sps.TemporalIDNestingFlag {
		nested = 1
	}
	b := append([]byte{1}, raw[head+1:head+1+general]...)
	b = append(b,
		0xf0, 0, // segments are not told
		0xfc, // nor is parallelism
		0xfc|byte(sps.ChromaFormatIdc)&3, 0xf8|byte(sps.BitDepthLumaMinus8)&7, 0xf8|byte(sps.BitDepthChromaMinus8)&7,
		0, 0, // nor is the average rate
		(sps.MaxSubLayersMinus1+1)&7<<3|nested<<2|(lengthSize-1),
		byte(len(h.sets)))
	for i, sets := range h.sets {
		b = append(b, whole|byte(h265.NALUType_VPS_NUT)+byte(i))
		b = binary.BigEndian.AppendUint16(b, uint16(len(sets)))
		for _, s := range sets {
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(s.unit))), s.unit...)
		}
	}
	h.record = b
}
