package rtspin

const (
	// unitNALs and unitBytes bound a picture that is being put together: what package convert takes, and what
	// MPEG-TS has.
	unitNALs, unitBytes = 1024, 8 << 20
)

// assembly puts pictures of H.264 and HEVC together out of the NAL units of packets. A picture ends at the
// marker (RFC 6184, 5.1; RFC 7798, 4.1), and where the timestamp changes, as not every camera sets markers.
// Where some are in the middle of a picture, they are not looked at any more.
type assembly struct {
	hevc bool

	has    bool // nals are of ts
	ts     uint32
	nals   [][]byte
	bytes  int
	slices bool // there are some in nals

	ended   bool   // by the marker, and
	endedAt uint32 // with that timestamp
	loose   bool   // markers mean nothing

	lost   bool // something is missing in front of what comes next
	broken bool // what has brokenAt may lack its beginning
	broke  uint32
}

// access is a picture.
type access struct {
	ts   uint32
	nals [][]byte
	lost bool
}

// kind says of a NAL unit whether it is a slice, and whether it comes in front of all slices of a picture.
func (a *assembly) kind(nal []byte) (slice, leads bool) {
	if len(nal) == 0 {
		return false, false
	}
	if a.hevc {
		t := nal[0] >> 1 & 0x3f
		return t < 32, t >= 32 && t <= 35 || t == 39
	}
	t := nal[0] & 0x1f
	return t >= 1 && t <= 5, t >= 6 && t <= 9
}

// gap says that packets are missing in front of one with that timestamp: the picture that was being put
// together is dropped, and that one too, if its beginning may be among them.
func (a *assembly) gap(ts uint32) {
	a.reset()
	a.lost, a.broken, a.broke = true, true, ts
}

func (a *assembly) reset() { a.has, a.nals, a.bytes, a.slices = false, nil, 0, false }

// add takes the NAL units of a packet, and hands over each picture that is whole. The NAL units are the assembly's.
func (a *assembly) add(nals [][]byte, ts uint32, marker bool, whole func(access)) {
	if a.has && a.ts != ts {
		a.end(whole)
	}
	for _, n := range nals {
		slice, leads := a.kind(n)
		if a.broken && (ts != a.broke || leads) {
			a.broken = false
		}
		if a.broken || len(n) == 0 {
			continue
		}
		if slice && a.ended && a.endedAt == ts {
			a.loose = true
		}
		if len(a.nals) >= unitNALs || a.bytes+len(n) > unitBytes {
			a.gap(ts)
			return
		}
		a.has, a.ts = true, ts
		a.nals, a.bytes, a.slices = append(a.nals, n), a.bytes+len(n), a.slices || slice
	}
	if marker && !a.loose && a.slices {
		a.ended, a.endedAt = true, ts
		a.end(whole)
	}
}

// end hands over what there is. What has no slice stays in front of the next: parameter sets, which some
// cameras mark, or send with a timestamp of their own.
func (a *assembly) end(whole func(access)) {
	if !a.slices {
		return
	}
	u := access{a.ts, a.nals, a.lost}
	a.reset()
	a.lost = false
	whole(u)
}
