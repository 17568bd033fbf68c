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

	first, next int // number of the first tag, and of the one to come; once begun
	begun       bool
	missing     map[int]bool // numbers that were passed over
	configured  [2]bool      // a configuration has come for pictures, for sound
	played      [2]bool      // a picture, a sound has come
	flaws       flaws

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

// kind is what a tag is to the check.
type kind int

const (
	unknown  kind = iota // its head has not come yet
	ignored              // script data, or nothing at all
	config               // a decoder configuration
	numbered             // one of those that were sent
	strange              // none of those
)

// begin says that a tag begins whose body has size bytes.
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
	switch k := flv.ClassifyStart(c.typ, start); {
	case k.Config:
		if c.want = c.sent.clip.config(c.typ); c.want != nil {
			c.kind = config
		}
	default:
		if n, ok := numberOf(c.typ, start); ok {
			if s, ok := c.sent.get(n); ok && s.tag.Type() == c.typ {
				c.number, c.kind, c.want = n, numbered, s.tag.Body()
				c.differs = !c.retimed && s.tag.Timestamp() != c.ts
			}
		}
	}
	if c.want != nil {
		c.differs = c.differs || len(c.want) != c.size || !bytes.HasPrefix(c.want, start)
	}
}

// end says that the tag is whole. It returns its number, and false if it is none of those that
// were sent, or has come before.
func (c *check) end() (int, bool) {
	of := 0
	if c.typ == flv.Audio {
		of = 1
	}
	switch c.kind {
	case config:
		if c.differs || c.played[of] {
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
	if c.differs {
		c.flaws.altered++
	}
	if !c.begun {
		c.begun, c.first, c.next = true, c.number, c.number
	}
	if !c.played[of] && !c.configured[of] {
		c.flaws.bare++
	}
	c.played[of] = true
	switch {
	case c.number >= c.next:
		for n := c.next; n < c.number; n++ {
			c.miss(n)
		}
		c.next = c.number + 1
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
	if !c.begun {
		f.lost += to - from
		return f
	}
	f.lost += max(0, c.first-from) + max(0, to-c.next)
	return f
}
