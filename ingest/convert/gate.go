package convert

import "relay/ingest/flv"

const (
	// sightless is how long sound waits for the first picture, and soundless how long the first
	// pictures wait for sound: a player that is told of both at once need not be told again.
	sightless, soundless = 5 * Rate, Rate / 2
	// lead is how much earlier than the first picture sound may be: nobody needs what is far before
	// it, and the channel's timeline takes a second for a jump.
	lead = Rate / 2
	// heldMost bounds what waits, in bytes: half a second at 60 Mb/s.
	heldMost = 4 << 20
	// heldFrames bounds their number.
	heldFrames = 512
)

// gate is where the first frames of a stream wait until it is known what the stream is. Its zero
// value is closed.
type gate struct {
	opened bool
	held   []flv.Tag
	bytes  int
	begun  bool
	first  int64 // time of the first frame
	newest int64

	sighted bool
	picture int64 // decoding time of the first
	cuts    bool  // sound before cut is left out, until there is some that is later
	cut     int64
}

// hold keeps a frame. Where there is too much, the oldest goes.
func (g *gate) hold(t flv.Tag, at int64) {
	if !g.begun || at < g.first-jump {
		g.begun, g.first = true, at
	}
	if t.Type() == flv.Video && !g.sighted {
		g.sighted, g.picture = true, at
	}
	g.newest = at
	for g.held, g.bytes = append(g.held, t), g.bytes+len(t); (g.bytes > heldMost || len(g.held) > heldFrames) && !g.sighted; g.held = g.held[1:] {
		g.bytes -= len(g.held[0])
	}
}

// forget drops what is held of a type.
func (g *gate) forget(typ flv.Type) {
	kept := g.held[:0]
	for _, t := range g.held {
		if t.Type() != typ {
			kept = append(kept, t)
		} else {
			g.bytes -= len(t)
		}
	}
	g.held = kept
}

// done reports whether nothing need wait any longer at a time. pictures says that there are to be
// some, and soundUnknown that there is to be sound of which nothing has come.
func (g *gate) done(at int64, pictures, soundUnknown bool) bool {
	switch {
	case g.bytes > heldMost, len(g.held) > heldFrames:
		return true
	case pictures && !g.sighted:
		return at-g.first >= sightless
	case pictures && soundUnknown:
		return at-g.picture >= soundless || at < g.picture-jump
	}
	return true
}

// open returns what was held, without sound that nobody needs.
func (g *gate) open(at int64) (held []flv.Tag) {
	if g.cut = at - lead; g.sighted {
		g.cut = g.picture - lead
	}
	for _, t := range g.held {
		if t.Type() == flv.Video || int32(t.Timestamp()-uint32(millis(g.cut))) >= 0 {
			held = append(held, t)
		}
	}
	g.opened, g.cuts, g.held = true, g.sighted, nil
	return held
}

// early reports whether sound is so far before the first picture that nobody needs it.
func (g *gate) early(at int64) bool {
	g.cuts = g.cuts && at < g.cut && g.cut-at < apart
	return g.cuts
}
