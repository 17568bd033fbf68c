package convert

import (
	"slices"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"relay/ingest/flv"
)

// avc knows H.264 (ITU-T H.264).
type avc struct {
	sets   flv.AVCSets
	record []byte // of the sets, nil if they are not whole
	shows  size
	inLine bool     // pictures are shown in the order in which they are decoded, as the sequence says
	units  [][]byte // of one picture
	data   []byte
}

func (a *avc) config() ([]byte, size) { return a.record, a.shows }

func (a *avc) next(u Unit) (p picture, ok bool) {
	all := unitsOf(u, a.units[:0])
	a.units = all[:0]
	p.broke = a.learn(all)
	kept := a.units
	for _, n := range all {
		switch typ := h264.NALUType(n[0] & 0x1f); typ {
		case h264.NALUTypeSPS, h264.NALUTypePPS, h264.NALUTypeAccessUnitDelimiter, h264.NALUTypeFillerData,
			h264.NALUTypeEndOfSequence, h264.NALUTypeEndOfStream:
		case h264.NALUTypeIDR:
			p.key, ok = true, true
			kept = append(kept, n)
		case h264.NALUTypeNonIDR, h264.NALUTypeDataPartitionA:
			ok = true
			kept = append(kept, n)
		case h264.NALUTypeSEI:
			p.recovers = p.recovers || flv.UnitRecovers("h264", n)
			kept = append(kept, n)
		default:
			kept = append(kept, n)
		}
	}
	a.units = kept
	a.data = framed(a.data[:0], kept)
	p.data, p.nals, p.open, p.inLine = a.data, kept, !p.key, a.inLine
	if p.key {
		p.sets = a.sets.Units()
	}
	return p, ok
}

// learn takes parameter sets, and reports whether there is another sequence.
func (a *avc) learn(units [][]byte) (broke bool) {
	is := func(typ h264.NALUType) func(func([]byte) bool) {
		return func(yield func([]byte) bool) {
			for _, u := range units {
				if h264.NALUType(u[0]&0x1f) == typ && !yield(u) {
					return
				}
			}
		}
	}
	known := a.record != nil
	broke = a.sets.Learn(is(h264.NALUTypeSPS))
	if !a.sets.Learn(is(h264.NALUTypePPS)) && !broke || !a.sets.Whole() {
		return false
	}
	a.record = a.sets.Record(lengthSize)
	if sps := (h264.SPS{}); sps.Unmarshal(slices.Clone(a.sets.SPS())) == nil {
		// H.264, E.2.1: max_num_reorder_frames.
		a.inLine = sps.VUI != nil && sps.VUI.BitstreamRestriction != nil && sps.VUI.BitstreamRestriction.MaxNumReorderFrames == 0
		a.shows = size{sps.Width(), sps.Height(), sps.FPS()}
	}
	return broke && known
}
