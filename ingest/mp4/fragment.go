package mp4

const (
	// fragmentMost bounds what tells of a fragment, in bytes: an hour at 60 Hz.
	fragmentMost = 4 << 20
	// runsMost and runBytesMost bound the runs of a track that wait, as far as that: another one's are
	// looked for behind them.
	runsMost, runBytesMost = 256, 4 << 20
)

// run is a row of a fragment's samples (trun), which lie one behind the other.
type run struct {
	at      int64
	dts     int64
	entries []byte // what is said of each sample
	fields  uint32 // which things that is
	n       uint32 // samples left
	first   bool   // the next one is the first, whose flags may be others
	flags1  uint32
	extends extends
}

// Flags of tfhd and trun (ISO/IEC 14496-12, 8.8.7 and 8.8.8).
const (
	baseOffset, hasDescribed, hasDuration, hasSize, hasFlags = 0x1, 0x2, 0x8, 0x10, 0x20
	durationEmpty, baseIsMoof                                = 0x10000, 0x20000

	runOffset, runFirstFlags                            = 0x1, 0x4
	eachDuration, eachSize, eachFlags, eachLater        = 0x100, 0x200, 0x400, 0x800
	notSync                                      uint32 = 0x10000 // of a sample
)

// width is how many bytes are said of each sample.
func (u *run) width() (n int) {
	for _, f := range []uint32{eachDuration, eachSize, eachFlags, eachLater} {
		if u.fields&f != 0 {
			n += 4
		}
	}
	return n
}

// next takes the run's first sample off.
func (u *run) next() (s sampleAt) {
	e, at := u.extends, 0
	field := func(f uint32, v *uint32) {
		if u.fields&f != 0 {
			*v, at = be32(u.entries, at), at+4
		}
	}
	later := uint32(0)
	field(eachDuration, &e.duration)
	field(eachSize, &e.size)
	field(eachFlags, &e.flags)
	field(eachLater, &later)
	if u.first && u.fields&runFirstFlags != 0 {
		e.flags = u.flags1
	}
	s = sampleAt{at: u.at, size: e.size, dts: u.dts, pts: u.dts + int64(int32(later)), key: e.flags&notSync == 0, entry: e.described}
	u.entries, u.first = u.entries[at:], false
	u.at, u.dts, u.n = u.at+int64(e.size), u.dts+int64(e.duration), u.n-1
	return s
}

// ofRun takes the next sample of a track's fragments.
func (t *track) ofRun() (s sampleAt, ok bool) {
	for len(t.runs) > 0 {
		u := &t.runs[0]
		if u.n > 0 {
			return u.next(), true
		}
		t.runs = t.runs[1:]
	}
	return s, false
}

// waiting reports whether a track has so many runs that no more are looked for.
func (t *track) waiting() bool {
	n := 0
	for _, u := range t.runs {
		n += len(u.entries)
	}
	return len(t.runs) >= runsMost || n >= runBytesMost
}

// fragment takes what a box moof says, which lies at a place and is kept.
func (m *movie) fragment(b []byte, at int64) {
	end := at // of the data of what came before
	within(b, func(typ string, b []byte) {
		if typ == "traf" {
			end = m.trackFragment(b, at, end)
		}
	})
}

// trackFragment takes a box traf, and returns where its data ends.
func (m *movie) trackFragment(b []byte, moof, end int64) int64 {
	var t *track
	var e extends
	base, timed, start := end, false, int64(0)
	within(b, func(typ string, b []byte) {
		switch typ {
		case "tfhd":
			base, t, e = m.fragmentHead(b, moof, end)
			end = base
			if t != nil && !timed { // as some leave it out
				start = t.upTo
			}
		case "tfdt":
			if timed, start = true, int64(be32(b, 4)); len(b) > 0 && b[0] == 1 {
				start = int64(be64(b, 4) & (1<<62 - 1))
			}
		}
	})
	within(b, func(typ string, b []byte) {
		if typ != "trun" || len(b) < 8 {
			return
		}
		u := run{at: end, dts: start, fields: be32(b, 0), n: be32(b, 4), first: true, extends: e}
		b = b[8:]
		if u.fields&runOffset != 0 && len(b) >= 4 {
			u.at = max(base+int64(int32(be32(b, 0))), 0)
			b = b[4:]
		}
		if u.fields&runFirstFlags != 0 && len(b) >= 4 {
			u.flags1, b = be32(b, 0), b[4:]
		}
		u.entries = b
		if w := u.width(); w > 0 {
			u.n = min(u.n, uint32(len(b)/w))
		} else if e.size == 0 {
			u.n = 0 // nothing, any number of times
		}
		kept := u
		least := int64(0)
		if w := u.width(); w == 0 {
			u.at, u.dts = u.at+int64(u.n)*int64(e.size), u.dts+int64(u.n)*int64(e.duration)
		} else {
			for u.n > 0 {
				s := u.next()
				least = min(least, s.pts-s.dts)
			}
		}
		end, start = u.at, u.dts
		if t == nil || !t.chosen || kept.n == 0 {
			return
		}
		t.delay = max(t.delay, -least)
		t.runs = append(t.runs, kept)
		t.upTo = start
	})
	return end
}

// fragmentHead takes a box tfhd: from where offsets are counted, of which track it is, nil for one that is
// not taken, and what its samples have.
func (m *movie) fragmentHead(b []byte, moof, end int64) (base int64, t *track, e extends) {
	flags, id := be32(b, 0), be32(b, 4)
	for _, o := range m.tracks {
		if o.id == id {
			t, e = o, o.extends
		}
	}
	at := 8
	if base = end; flags&baseIsMoof != 0 {
		base = moof
	}
	if flags&baseOffset != 0 {
		base, at = int64(be64(b, at)&(1<<62-1)), at+8
	}
	for _, f := range []struct {
		flag uint32
		to   *uint32
	}{{hasDescribed, &e.described}, {hasDuration, &e.duration}, {hasSize, &e.size}, {hasFlags, &e.flags}} {
		if flags&f.flag != 0 {
			*f.to, at = be32(b, at), at+4
		}
	}
	return base, t, e
}
