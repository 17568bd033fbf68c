package convert

import (
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
)

const (
	// jump is how far back a time goes for the stream to have begun anew, and how far ahead of its
	// picture a decoding time is for it to be wrong. No encoder reorders that much.
	jump, apart = 1 * Rate, 10 * Rate
	// tick is the least step between two decoding times that are made here: a millisecond, which
	// tags can tell apart.
	tick = Rate / 1000
	// maxReorder bounds by how much the order of pictures is believed to be changed.
	maxReorder = Rate
)

// extractor finds decoding times in pictures' order counts.
type extractor interface {
	Extract(nals [][]byte, pts int64) (int64, error)
}

// decodeTimes are those of one stream of pictures. What the sender gives is used. If it gives none,
// they are found in the pictures, or, where that fails, made of the times when pictures are shown.
type decodeTimes struct {
	format  Format
	extract extractor // nil until a picture needs it
	given   bool      // the sender has given one

	begun   bool
	last    int64 // the newest one
	step    int64 // from the one before it
	newest  int64 // the latest time of showing
	reorder int64 // how far behind that one has been, at most
}

// next returns a picture's times. bad says that the sender's own could not be used, or that there
// were none and none could be found. It reports false for a picture of which nobody knows the time.
func (d *decodeTimes) next(u Unit, p picture) (pts, dts int64, bad, ok bool) {
	switch {
	case u.HasPTS:
		pts = u.PTS
	case u.HasDTS:
		pts = u.DTS
	case d.begun:
		pts = d.last + d.step
	default:
		return 0, 0, false, false
	}
	d.given = d.given || u.HasDTS
	dts = pts
	if u.HasDTS {
		dts = u.DTS
	}
	if d.begun && dts < d.last-jump && pts < d.newest-jump {
		*d = decodeTimes{format: d.format, given: d.given, step: d.step}
	}
	if u.Lost {
		d.extract = nil // it counts pictures
	}
	if !d.begun {
		d.newest = pts
	}
	d.reorder = min(max(d.reorder, d.newest-pts), maxReorder)
	d.newest = max(d.newest, pts)
	switch found := false; {
	case d.given && (pts-dts > apart || dts-pts > apart):
		dts, bad = pts-d.reorder, true
	case !d.given:
		if dts, found = d.find(p, pts); !found {
			dts, bad = pts-d.reorder, d.reorder > 0
		}
	}
	if d.begun && dts < d.last {
		dts, bad = d.last+tick, true
	}
	if d.begun && dts > d.last {
		d.step = min(dts-d.last, Rate)
	}
	d.begun, d.last = true, dts
	return pts, dts, bad, true
}

// find looks for a decoding time in the picture's own order count.
func (d *decodeTimes) find(p picture, pts int64) (int64, bool) {
	if p.nals == nil || p.inLine && d.reorder == 0 {
		// AV1 and VP9 send frames in the order in which they are shown, and so does who says it, until one is
		// not. Counts tell less: what an encoder has left out looks as if it were still to come.
		return pts, true
	}
	nals := p.nals
	if d.extract == nil {
		d.extract = newExtractor(d.format)
	}
	if p.key {
		nals = append(p.sets[:len(p.sets):len(p.sets)], nals...)
	}
	dts, err := d.extract.Extract(nals, pts)
	return dts, err == nil
}

func newExtractor(f Format) extractor {
	if f == H264 {
		e := &h264.DTSExtractor{}
		e.Initialize()
		return e
	}
	e := &h265.DTSExtractor{}
	e.Initialize()
	return e
}
