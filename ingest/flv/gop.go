package flv

import (
	"iter"
	"slices"
)

// Bounds of what a [GOP] holds. Where places to start are further apart it holds nothing, and who
// comes later begins at the next one.
const (
	// MaxGOP is in bytes of tags, which are the ring's as long as that holds them: 20 s at 12 Mb/s.
	MaxGOP = 32 << 20
	// MaxGOPTags are 17 s of 240 Hz, or 2 min of 30 Hz; each costs a reader who comes some 150 bytes.
	MaxGOPTags = 4096
	// gopStart is how many bytes of a picture's tag are made anew for who comes later.
	gopStart = TagHeaderLen + StartLen
)

// GOP is the group of pictures at which a reader begins who comes at any time in it: all tags since
// a place to start but the sound. It copies no body. Its zero value holds nothing until Begin.
type GOP struct {
	on          bool
	tags        []gopTag
	size        int // bytes of tags
	pictures    int // among tags
	first, last uint32
}

// gopTag is one tag.
type gopTag struct {
	pieces  [][]byte
	picture bool
}

// Begin forgets what there is, and takes the tags that come from now on.
func (g *GOP) Begin() { *g = GOP{on: true} }

// Begun reports whether nothing is missing that has come since the place to start.
func (g *GOP) Begun() bool { return g.on }

// Len returns how many tags there are.
func (g *GOP) Len() int { return len(g.tags) }

// Size returns the bytes of the tags.
func (g *GOP) Size() int { return g.size }

// Pictures returns how many of the tags are pictures.
func (g *GOP) Pictures() int { return g.pictures }

// Since returns the first tag's timestamp in milliseconds, 0 if there is none.
func (g *GOP) Since() uint32 {
	if len(g.tags) == 0 {
		return 0
	}
	var start [TagHeaderLen]byte
	return Timestamp(start[:startOf(start[:], g.tags[0].pieces)])
}

// Add takes the next tag, whole but in pieces, which are shared. Sound is left out.
func (g *GOP) Add(pieces [][]byte) {
	if !g.on {
		return
	}
	var buf [gopStart]byte
	start := buf[:startOf(buf[:], pieces)]
	if len(start) < TagHeaderLen {
		return
	}
	typ := Type(start[0])
	kind := ClassifyStart(typ, bodyOf(start))
	if typ == Audio && !kind.Config {
		return
	}
	for _, p := range pieces {
		g.size += len(p)
	}
	if g.size > MaxGOP || len(g.tags) == MaxGOPTags {
		*g = GOP{}
		return
	}
	t := gopTag{slices.Clone(pieces), typ == Video && !kind.Config}
	g.tags = append(g.tags, t)
	if !t.picture {
		return
	}
	g.last = Timestamp(start)
	if g.pictures++; g.pictures == 1 {
		g.first = g.last
	}
}

// Squashed goes through the tags, with the pictures' timestamps as [Squashed] has them; what is no
// picture comes with the next one. Only the starts of tags are made, the rest is shared. A list of
// pieces is the loop's until the next one.
func (g *GOP) Squashed() iter.Seq[[][]byte] {
	return func(yield func([][]byte) bool) {
		starts := make([]byte, gopStart*len(g.tags))
		var pieces [][]byte
		shown := 0
		for _, t := range g.tags {
			n := startOf(starts[:gopStart], t.pieces)
			start := starts[:n:n]
			starts = starts[n:]
			if g.pictures > 0 {
				PutTimestamp(start, Squashed(g.first, g.last, min(shown, g.pictures-1), g.pictures))
			}
			if t.picture {
				shown++
				body := bodyOf(start)
				if f, ok := FramingOf(body); ok {
					f.ClearOffset(body)
				}
			}
			pieces = append(pieces[:0], start)
			for _, p := range t.pieces {
				skip := min(n, len(p))
				if n -= skip; skip < len(p) {
					pieces = append(pieces, p[skip:])
				}
			}
			if !yield(pieces) {
				return
			}
		}
	}
}

// startOf copies the start of a tag that is in pieces, and returns how much it is.
func startOf(to []byte, pieces [][]byte) (n int) {
	for _, p := range pieces {
		if n += copy(to[n:], p); n == len(to) {
			break
		}
	}
	return n
}

// bodyOf returns the body in a tag's start, behind which is the tag's trailer if it is short.
func bodyOf(start []byte) []byte {
	body := start[TagHeaderLen:]
	return body[:min(len(body), BodyLen(start))]
}
