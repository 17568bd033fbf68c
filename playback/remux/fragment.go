package remux

import (
	"encoding/binary"
	"net"
)

// Flags of boxes and samples (ISO/IEC 14496-12, 8.8.7, 8.8.8 and 8.8.3).
const (
	defaultBaseIsMoof = 0x020000
	// trunFlags: there is a data offset, and each sample has a duration, a size, flags
	// and a composition time offset.
	trunFlags  = 0x000001 | 0x000100 | 0x000200 | 0x000400 | 0x000800
	syncSample = 0x02000000 // it depends on no other
	plainOne   = 0x01010000 // it depends on others, and is no place to start
)

// Lengths of boxes, in bytes.
const (
	boxHead     = 8
	mfhdLen     = boxHead + 8
	tfhdLen     = boxHead + 8
	tfdtLen     = boxHead + 12
	trunLen     = boxHead + 12
	trunEntry   = 16
	trafLen     = boxHead + tfhdLen + tfdtLen + trunLen
	maxFragment = 1 << 31 // of a fragment: offsets in it have 31 bits
)

// sample is one frame in a fragment.
type sample struct {
	duration uint32 // in the track's rate, as is offset
	offset   int32
	key      bool
	data     [][]byte
	size     int // of data, in bytes
}

// run is what one track has in a fragment.
type run struct {
	id      uint32
	base    uint64 // decoding time of the first sample, in the track's rate
	samples []sample
}

// fragment returns a moof and an mdat. The samples' bytes are not copied; everything
// else is one slice in front of them. It returns nil if they are too much for one.
func fragment(seq uint32, runs []run) net.Buffers {
	moof, data, count := boxHead+mfhdLen, 0, 0
	for _, r := range runs {
		moof += trafLen + trunEntry*len(r.samples)
		for _, s := range r.samples {
			data += s.size
			count += len(s.data)
		}
	}
	if moof+boxHead+data >= maxFragment {
		return nil
	}
	out := make(net.Buffers, 1, 1+count)
	b := make([]byte, 0, moof+boxHead)
	u32 := binary.BigEndian.AppendUint32
	box := func(size int, name string, versionAndFlags uint32) {
		b = append(u32(b, uint32(size)), name...)
		b = u32(b, versionAndFlags)
	}
	b = append(u32(b, uint32(moof)), "moof"...)
	box(mfhdLen, "mfhd", 0)
	b = u32(b, seq)
	at := moof + boxHead
	for _, r := range runs {
		b = append(u32(b, uint32(trafLen+trunEntry*len(r.samples))), "traf"...)
		box(tfhdLen, "tfhd", defaultBaseIsMoof)
		b = u32(b, r.id)
		box(tfdtLen, "tfdt", 1<<24)
		b = binary.BigEndian.AppendUint64(b, r.base)
		box(trunLen+trunEntry*len(r.samples), "trun", 1<<24|trunFlags)
		b = u32(b, uint32(len(r.samples)))
		b = u32(b, uint32(at))
		for _, s := range r.samples {
			flags := uint32(plainOne)
			if s.key {
				flags = syncSample
			}
			b = u32(u32(u32(u32(b, s.duration), uint32(s.size)), flags), uint32(s.offset))
			at += s.size
			out = append(out, s.data...)
		}
	}
	b = append(u32(b, uint32(boxHead+data)), "mdat"...)
	out[0] = b
	return out
}
