//go:build e2e && linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"

	"relay/ingest/flv"
)

// maxBox bounds a box that is kept until it is whole, in bytes.
const maxBox = 64 << 10

var (
	errNoMoof   = errors.New("an mdat without a moof in front of it")
	errNoSample = errors.New("an mdat is longer or shorter than its samples")
)

// mp4Parser is the parser of fragmented MP4 (ISO/IEC 14496-12, section 8.8) of two tracks, with
// frames in the order of the fragment's table.
type mp4Parser struct {
	check  *check
	head   [8]byte
	have   int
	left   int    // of the box
	name   string // of the box that is being read, "" between two
	kept   []byte // a moof
	sizes  []int  // of the samples to come
	sample int    // left of the sample that has begun
	open   bool   // one has
}

func (m *mp4Parser) feed(p []byte, whole func(int)) error {
	for len(p) > 0 {
		if m.name == "" {
			n := copy(m.head[m.have:], p)
			if p, m.have = p[n:], m.have+n; m.have < len(m.head) {
				return nil
			}
			m.have, m.name, m.kept = 0, string(m.head[4:]), m.kept[:0]
			m.left = int(binary.BigEndian.Uint32(m.head[:])) - len(m.head)
			if m.left < 0 || m.name == "moof" && m.left > maxBox || m.name == "mdat" && m.sizes == nil {
				return fmt.Errorf("a box %q of %d bytes: %w", m.name, m.left, errNoMoof)
			}
		}
		n := min(m.left, len(p))
		if err := m.box(p[:n], whole); err != nil {
			return err
		}
		p, m.left = p[n:], m.left-n
		if m.left > 0 {
			continue
		}
		if err := m.end(); err != nil {
			return err
		}
	}
	return nil
}

// box takes a piece of a box.
func (m *mp4Parser) box(p []byte, whole func(int)) error {
	switch m.name {
	case "moof":
		m.kept = append(m.kept, p...)
	case "mdat":
		return m.samples(p, whole)
	}
	return nil
}

// end ends a box.
func (m *mp4Parser) end() error {
	switch m.name {
	case "moov":
		m.check.configured = [2]bool{true, true}
	case "moof":
		m.sizes = make([]int, 0, 4)
		m.tables(m.kept)
	case "mdat":
		if len(m.sizes) > 0 || m.open {
			return errNoSample
		}
		m.sizes = nil
	}
	m.name = ""
	return nil
}

// tables adds the sizes of all samples in the boxes b. It has the form that relay writes: each
// sample has a duration, a size, flags and an offset.
func (m *mp4Parser) tables(b []byte) {
	for len(b) >= 8 {
		n := int(binary.BigEndian.Uint32(b))
		if n < 8 || n > len(b) {
			return
		}
		switch box := b[8:n]; string(b[4:8]) {
		case "traf":
			m.tables(box)
		case "trun":
			for entry := 12; entry+16 <= len(box); entry += 16 {
				m.sizes = append(m.sizes, int(binary.BigEndian.Uint32(box[entry+4:])))
			}
		}
		b = b[n:]
	}
}

// samples takes a piece of an mdat.
func (m *mp4Parser) samples(p []byte, whole func(int)) error {
	for len(p) > 0 {
		if !m.open {
			if len(m.sizes) == 0 {
				return errNoSample
			}
			// Sound begins with our own element, a picture with the length of a NAL unit.
			typ := flv.Video
			if p[0] == dataElement {
				typ = flv.Audio
			}
			m.sample, m.sizes, m.open = m.sizes[0], m.sizes[1:], true
			m.check.begin(typ, 0, m.sample)
		}
		n := min(m.sample, len(p))
		m.check.body(p[:n])
		if p, m.sample = p[n:], m.sample-n; m.sample == 0 {
			m.open = false
			if number, ok := m.check.end(); ok {
				whole(number)
			}
		}
	}
	return nil
}
