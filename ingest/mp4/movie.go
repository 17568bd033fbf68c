package mp4

import (
	"io"
	"math"

	"relay/ingest/convert"
	"relay/ingest/sample"
)

const (
	// mostClock bounds how fine a clock is, in units of a second: nanoseconds have been seen.
	mostClock = 1 << 30
	// mostTracks bounds the tracks that are looked at.
	mostTracks = 64
	// describeMost bounds the descriptions of a track's samples, in bytes, and editMost its edits.
	describeMost, editMost = 1 << 20, 64 << 10
)

// track is one of a movie.
type track struct {
	id      uint32
	enabled bool
	video   bool // or sound
	turned  bool // to be shown turned
	handler string
	entries []entry

	described box // where its entries are

	clock int64 // its units in a second
	edits []edit
	delay int64 // of its decoding times, so that none is behind the time of showing
	cursor
	extends extends // what fragments leave out
	runs    []run   // of fragments, behind the tables' samples
	upTo    int64   // decoding time behind the newest run

	cut                bool  // there are more edits than that
	from, shift, until int64 // media time that is shown first, when, in 1/[convert.Rate] s, and where it ends
	peeked             *sampleAt
	held               []sampleAt // of a stream
	quiet              bool       // it brings nothing, and is not waited for
	chosen             bool       // it is taken
	bytes              int64      // bytes of samples
	using              *entry     // how the newest sample is coded
}

// extends is what a fragment's samples have where it does not say (trex, tfhd).
type extends struct{ described, duration, size, flags uint32 }

// edit says which part of a track is shown next (ISO/IEC 14496-12, 8.6.6).
type edit struct {
	duration int64 // in the movie's units; 0 for the rest
	media    int64 // in the track's; -1 for nothing
}

// movie is what a file says of its tracks.
type movie struct {
	clock     int64 // its units in a second
	tracks    []*track
	fragments bool
}

// parseMovie reads what is in a box moov.
func parseMovie(r io.ReaderAt, x box) (*movie, error) {
	m := &movie{}
	later := make(map[uint32]extends)
	err := each(r, x, func(x box) error {
		switch x.typ {
		case "mvhd":
			b, err := load(r, x, describeMost)
			if err != nil {
				return err
			}
			m.clock = clockOf(b)
		case "trak":
			if len(m.tracks) == mostTracks {
				return nil
			}
			t, err := parseTrack(r, x)
			if t != nil {
				m.tracks = append(m.tracks, t)
			}
			return err
		case "mvex":
			m.fragments = true
			return each(r, x, func(x box) error {
				if x.typ != "trex" || len(later) == mostTracks {
					return nil
				}
				b, err := load(r, x, describeMost)
				if err != nil {
					return err
				}
				later[be32(b, 4)] = extends{be32(b, 8), be32(b, 12), be32(b, 16), be32(b, 20)}
				return nil
			})
		case "cmov":
			return ErrFormat
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, t := range m.tracks {
		t.extends = later[t.id]
		t.edited(m.clock, m.fragments)
	}
	return m, nil
}

// parseTrack reads a box trak. It returns nothing for what is neither pictures nor sound.
func parseTrack(r io.ReaderAt, x box) (*track, error) {
	t := &track{cursor: cursor{tables: &tables{}}}
	if err := t.read(r, x, 0); err != nil {
		return nil, err
	}
	if t.video = t.handler == "vide"; !t.video && t.handler != "soun" || t.clock <= 0 || t.clock > mostClock {
		return nil, nil
	}
	b, err := load(r, t.described, describeMost)
	if err != nil {
		return nil, err
	}
	t.entries = parseEntries(b, t.video)
	return t, nil
}

// read reads what is in a box of a track.
func (t *track) read(r io.ReaderAt, in box, depth int) error {
	const deepest = 4 // trak, mdia, minf, stbl
	if depth == deepest {
		return nil
	}
	return each(r, in, func(x box) error {
		switch x.typ {
		case "mdia", "minf", "stbl", "edts":
			return t.read(r, x, depth+1)
		case "tkhd", "mdhd", "hdlr", "elst":
			x.to = min(x.to, x.from+editMost)
			b, err := load(r, x, editMost)
			if err != nil {
				return err
			}
			t.note(x.typ, b)
		case "stsd":
			t.described = x
		case "stts":
			t.stts = newSpan(r, x, 8, 8)
		case "ctts":
			t.ctts = newSpan(r, x, 8, 8)
		case "stsc":
			t.stsc = newSpan(r, x, 8, 12)
		case "stss":
			t.stss = newSpan(r, x, 8, 4)
		case "stco":
			t.chunks = newSpan(r, x, 8, 4)
		case "co64":
			t.chunks = newSpan(r, x, 8, 8)
		case "stsz", "stz2":
			t.sizeTable(r, x)
		}
		return nil
	})
}

// note takes a small box.
func (t *track) note(typ string, b []byte) {
	switch typ {
	case "tkhd":
		t.header(b)
	case "mdhd":
		t.clock = clockOf(b)
	case "hdlr":
		if len(b) >= 12 && t.handler == "" { // QuickTime has another one, of data
			t.handler = string(b[8:12])
		}
	case "elst":
		t.edits = parseEdits(b)
	}
}

// clockOf is how many units a second has, as mvhd and mdhd say.
func clockOf(b []byte) int64 {
	if len(b) > 0 && b[0] == 1 {
		return int64(be32(b, 20))
	}
	return int64(be32(b, 12))
}

// header takes what a box tkhd says.
func (t *track) header(b []byte) {
	const enabled = 1
	id, matrix := 12, 40
	if len(b) > 0 && b[0] == 1 {
		id, matrix = 20, 52
	}
	t.enabled, t.id = be32(b, 0)&enabled != 0, be32(b, id)
	t.turned = be32(b, matrix+4)|be32(b, matrix+12) != 0 || int32(be32(b, matrix)) < 0 || int32(be32(b, matrix+16)) < 0
}

func parseEdits(b []byte) (all []edit) {
	n, wide := int(be32(b, 4)), len(b) > 0 && b[0] == 1
	for b = b[min(8, len(b)):]; n > 0; n-- {
		switch {
		case wide && len(b) >= 20:
			all, b = append(all, edit{int64(be64(b, 0)), int64(be64(b, 8))}), b[20:]
		case !wide && len(b) >= 12:
			all, b = append(all, edit{int64(be32(b, 0)), int64(int32(be32(b, 4)))}), b[12:]
		default:
			return all
		}
	}
	return all
}

// edited makes of a track's edits where it begins and ends: it is shown later by the first ones, if they
// are empty, from where the first that is not begins to where the last one ends.
func (t *track) edited(movieClock int64, fragments bool) {
	if movieClock <= 0 || movieClock > mostClock {
		movieClock = t.clock
	}
	t.until = math.MaxInt64
	wait, begun := int64(0), false
	for _, e := range t.edits {
		switch {
		case e.media < 0 && !begun:
			wait = min(wait+max(e.duration, 0), math.MaxInt64/4)
		case e.media < 0:
		default:
			if t.cut = begun; !begun {
				begun, t.from = true, e.media
			}
			if t.until = math.MaxInt64; e.duration > 0 && !fragments {
				t.until = e.media + scaled(e.duration, movieClock, t.clock) + 1
			}
		}
	}
	t.shift = scaled(wait, movieClock, convert.Rate) + sample.Origin
	if t.ctts != nil {
		least := int64(0)
		for i := range t.ctts.count {
			least = min(least, int64(int32(be32(t.ctts.entry(i), 4))))
		}
		t.delay = -least
	}
}

// scaled is a time of one clock in another, neither finer than mostClock, kept so small that sums do not
// overflow.
func scaled(v, from, to int64) int64 {
	most := 1 << 60 / to
	return min(max(v/from, -most), most)*to + v%from*to/from
}

// time is a time of the track, in 1/[convert.Rate] s.
func (t *track) time(v int64) int64 {
	const most = math.MaxInt64 / 4
	return scaled(min(max(v, -most), most)-min(max(t.from, -most), most), t.clock, convert.Rate) + t.shift
}

// describes is the description of that number, nil if there is none.
func (t *track) describes(n uint32) *entry {
	if n == 0 || int64(n) > int64(len(t.entries)) {
		if len(t.entries) == 1 { // what else
			return &t.entries[0]
		}
		return nil
	}
	return &t.entries[n-1]
}

// carried is the first description of what is carried.
func (t *track) carried() *entry {
	for i := range t.entries {
		if t.entries[i].ok {
			return &t.entries[i]
		}
	}
	return nil
}

// begin leaves out the samples in front of where a track's edits begin: those of sound but for what a
// decoder needs before it is heard, those of pictures up to the key frame from which they are decoded.
func (t *track) begin() {
	from := t.from
	if !t.video {
		from -= t.clock / 10
	}
	if from <= 0 {
		return
	}
	look := t.cursor
	skip := uint32(0)
	for {
		s, ok := look.sample()
		if !ok || s.pts > from && s.dts > from {
			break
		}
		if s.key && s.pts <= from {
			skip = look.next - 1
		}
	}
	for t.next < skip {
		if _, ok := t.sample(); !ok {
			return
		}
	}
}

// peek is the next sample, nil if none is known.
func (t *track) peek() *sampleAt {
	for t.peeked == nil {
		s, ok := t.sample()
		if ok {
			if t.upTo = t.dts; s.pts >= t.until {
				continue
			}
		} else if s, ok = t.ofRun(); !ok {
			return nil
		}
		s.dts -= t.delay
		t.peeked = &s
	}
	return t.peeked
}

// drop leaves out the rest of the samples that lie in one row.
func (t *track) drop() {
	if t.left > 0 {
		t.next, t.left = t.next+min(t.left, t.count-t.next), 0
	} else if len(t.runs) > 0 {
		t.runs = t.runs[1:]
	}
}
