package convert

import (
	"bytes"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
)

// Types of OBUs (AV1, 6.2.2), besides those that the library names.
const (
	obuTileList = 8
	obuPadding  = 15
)

// av1Pictures knows AV1.
type av1Pictures struct {
	sequence []byte // the sequence header, with its size
	record   []byte
	shows    size
	data     []byte
}

func (a *av1Pictures) config() ([]byte, size) { return a.record, a.shows }

// next leaves out what has no place in a sample (AV1 in ISOBMFF, 2.4): temporal delimiters, padding,
// tile lists. A temporal unit is one to start at if it has a sequence header: encoders send that
// with each key frame.
func (a *av1Pictures) next(u Unit) (p picture, ok bool) {
	a.data = a.data[:0]
	for b := u.Data; len(b) > 0; {
		n := obuLen(b)
		if n == 0 {
			return p, false // cut short
		}
		obu := b[:n]
		b = b[n:]
		switch typ := av1.OBUType(obu[0] >> 3 & 15); typ {
		case av1.OBUTypeTemporalDelimiter, obuPadding, obuTileList:
			continue
		case av1.OBUTypeSequenceHeader:
			p.broke = a.learn(obu) || p.broke
			p.key = true
		default:
			ok = true
		}
		a.data = append(a.data, obu...)
	}
	p.data = a.data
	return p, ok
}

// obuLen is how long the OBU is that begins b, with its header; 0 if that is not whole.
func obuLen(b []byte) int {
	const hasExtension, hasSize = 4, 2
	at := 1
	if b[0]&hasExtension != 0 {
		at++
	}
	if b[0]&hasSize == 0 {
		return len(b) // the last one may leave it out
	}
	size := 0
	for shift := 0; shift < 28; shift += 7 { // LEB128; that is more than a picture has
		if at >= len(b) {
			return 0
		}
		c := b[at]
		at++
		size |= int(c&0x7f) << shift
		if c&0x80 == 0 {
			if size > len(b)-at {
				return 0
			}
			return at + size
		}
	}
	return 0
}

// learn takes a sequence header, and reports whether there is another sequence.
func (a *av1Pictures) learn(obu []byte) (broke bool) {
	if bytes.Equal(obu, a.sequence) {
		return false
	}
	var h av1.SequenceHeader
	if h.Unmarshal(obu) != nil {
		return false
	}
	broke = a.record != nil
	a.sequence = bytes.Clone(obu)
	a.shows = size{width: h.Width(), height: h.Height()}
	c := h.ColorConfig
	flag := func(b bool, at int) byte {
		if b {
			return 1 << at
		}
		return 0
	}
	var level byte
	var tier bool
	if len(h.SeqLevelIdx) > 0 {
		level = h.SeqLevelIdx[0]
	}
	if len(h.SeqTier) > 0 {
		tier = h.SeqTier[0]
	}
	// AV1CodecConfigurationRecord (AV1 in ISOBMFF, 2.3.3).
	a.record = append([]byte{
		0x81,
		h.SeqProfile<<5 | level&0x1f,
		flag(tier, 7) | flag(c.BitDepth > 8, 6) | flag(c.BitDepth > 10, 5) | flag(c.MonoChrome, 4) |
			flag(c.SubsamplingX, 3) | flag(c.SubsamplingY, 2) | byte(c.ChromaSamplePosition)&3,
		0,
	}, obu...)
	return broke
}
