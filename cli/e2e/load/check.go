//go:build e2e && linux

package main

import (
	"bytes"
	"fmt"
	"strings"

	"relay/ingest/flv"
)

// flaws counts what is not as it was sent. The zero value is an exact stream.
type flaws struct {
	lost, doubled, reordered, altered int
	foreign                           int // tags that nobody sent
	bare                              int // pictures or sounds that began before their decoder's configuration
}

func (f *flaws) add(g flaws) {
	f.lost += g.lost
	f.doubled += g.doubled
	f.reordered += g.reordered
	f.altered += g.altered
	f.foreign += g.foreign
	f.bare += g.bare
}

func (f flaws) String() string {
	if f == (flaws{}) {
		return "exact"
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{f.lost, "lost"},
		{f.doubled, "doubled"},
		{f.reordered, "out of order"},
		{f.altered, "altered"},
		{f.foreign, "foreign"},
		{f.bare, "without configuration"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}

// check compares what one viewer gets with what was sent, piece by piece as it comes, and keeps
// nothing of it. Its zero value is not ready: it needs sent.
type check struct {
	sent *history
	// retimed lets the server choose timestamps.
	retimed bool
	// frames is for containers: without what FLV puts in front of a frame, at times of their own,
	// and with pictures and sound in order each for itself.
	frames bool
	// annexB has start codes in the place of NAL units' lengths.
	annexB bool

	lanes      [2]lane
	begun      bool
	missing    map[int]bool // numbers that were passed over
	configured [2]bool      // a configuration has come for pictures, for sound
	played     [2]bool      // a picture, a sound has come
	flaws      flaws

	// The tag that is coming.
	typ     flv.Type
	ts      uint32
	size    int // of its body
	have    int
	head    [headLen]byte
	number  int
	kind    kind
	want    []byte // its body, as it was sent
	differs bool
}

// lane is what must come in order: all tags; in a container, pictures or sound.
type lane struct {
	begun       bool
	first, next int // number of the first tag, and the least of the one to come; once begun
}

// kind is what a tag is to the check.
type kind int

const (
	unknown  kind = iota // its head has not come yet
	ignored              // script data, or nothing at all
	config               // a decoder configuration
	numbered             // one of those that were sent
	strange              // none of those
)

// begin says that a tag begins whose body has size bytes, or less where the container does not
// tell.
func (c *check) begin(typ flv.Type, ts uint32, size int) {
	c.typ, c.ts, c.size, c.have = typ, ts, size, 0
	c.kind, c.want, c.differs = unknown, nil, false
	if typ == flv.Script || size == 0 {
		c.kind = ignored
	}
}

// body takes the next piece of the tag's body.
func (c *check) body(p []byte) {
	if c.kind == unknown {
		short := min(headLen, c.size)
		n := copy(c.head[c.have:short], p)
		c.have += n
		p = p[n:]
		if c.have < short {
			return
		}
		c.identify(c.head[:short])
	}
	if c.want != nil && !c.differs && len(p) > 0 {
		c.differs = c.have+len(p) > len(c.want) || !bytes.Equal(p, c.want[c.have:c.have+len(p)])
	}
	c.have += len(p)
}

// identify finds out which tag it is whose body begins with start.
func (c *check) identify(start []byte) {
	c.kind = strange
	switch {
	case !c.frames && flv.ClassifyStart(c.typ, start).Config:
		if c.want = c.sent.clip.config(c.typ); c.want != nil {
			c.kind = config
		}
	default:
		c.find(start)
	}
	if c.want != nil {
		c.differs = c.differs || !bytes.HasPrefix(c.want, start)
	}
}

// find looks for the tag that start tells the number of.
func (c *check) find(start []byte) {
	skip := 0
	if c.frames {
		skip = frameStart(c.typ)
	}
	n, ok := numberOf(c.typ, start, skip)
	if !ok {
		return
	}
	s, ok := c.sent.get(n)
	if !ok || s.tag.Type() != c.typ {
		return
	}
	c.number, c.kind, c.want = n, numbered, s.tag.Body()[skip:]
	if c.annexB && c.typ == flv.Video {
		c.want = c.sent.annexB(n)
	}
	c.differs = !c.retimed && !c.frames && s.tag.Timestamp() != c.ts
}

// complete reports whether all of a tag's body has come that was sent.
func (c *check) complete() bool { return c.want != nil && c.have >= len(c.want) }

// end says that the tag is whole. It returns its number, and false if it is none of those that
// were sent, or has come before.
func (c *check) end() (int, bool) {
	of := 0
	if c.typ == flv.Audio {
		of = 1
	}
	switch c.kind {
	case config:
		if c.differs || c.have != len(c.want) || c.played[of] {
			c.flaws.foreign++
		}
		c.configured[of] = true
		return 0, false
	case numbered:
	case ignored:
		return 0, false
	default:
		c.flaws.foreign++
		return 0, false
	}
	if c.differs || c.have != len(c.want) {
		c.flaws.altered++
	}
	if !c.played[of] && !c.configured[of] {
		c.flaws.bare++
	}
	c.played[of] = true
	l := c.lane(of)
	if !l.begun {
		l.begun, l.first, l.next = true, c.number, c.number
	}
	c.begun = true
	switch {
	case c.number >= l.next:
		for n := l.next; n < c.number; n++ {
			if c.has(of, n) {
				c.miss(n)
			}
		}
		l.next = c.number + 1
		return c.number, true
	case c.missing[c.number]:
		delete(c.missing, c.number)
		c.flaws.lost--
		c.flaws.reordered++
		return c.number, true
	}
	c.flaws.doubled++
	return c.number, false
}

// lane is where pictures (0) or sound (1) come.
func (c *check) lane(of int) *lane {
	if !c.frames {
		of = 0
	}
	return &c.lanes[of]
}

// has reports whether tag n comes in the lane of pictures (0) or sound (1).
func (c *check) has(of, n int) bool {
	s, ok := c.sent.get(n)
	return ok && (!c.frames || (s.tag.Type() == flv.Audio) == (of == 1))
}

func (c *check) miss(n int) {
	if c.missing == nil {
		c.missing = make(map[int]bool)
	}
	c.missing[n] = true
	c.flaws.lost++
}

// verdict returns what was wrong, if the viewer was to have every tag from number from up to, and
// without, number to.
func (c *check) verdict(from, to int) flaws {
	f := c.flaws
	for of := range c.lanes {
		if of > 0 && !c.frames {
			break
		}
		l := c.lanes[of]
		if !l.begun {
			l.first, l.next = to, to
		}
		for n := from; n < to; n++ {
			if c.has(of, n) && (n < l.first || n >= l.next) {
				f.lost++
			}
		}
	}
	return f
}

// reached reports whether every tag before number to has come, or later ones.
func (c *check) reached(to int) bool {
	for of := range c.lanes {
		if of > 0 && !c.frames {
			break
		}
		for n := c.lanes[of].next; n < to; n++ {
			if c.has(of, n) {
				return false
			}
		}
	}
	return true
}
