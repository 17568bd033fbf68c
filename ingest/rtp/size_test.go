package rtp

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"relay/ingest/convert"
	"relay/ingest/ingesttest"
)

// packets are as many with a payload as have about n bytes, of 40 ms each with perPicture of them. number gives each its
// number; payload says what is in the i-th of a picture.
func packets(n, perPicture int, number func(i int) int, payload func(i int) string) (b []byte) {
	for i := 0; len(b) < n; i++ {
		p := make([]byte, 12)
		p[0], p[1] = 0x80, 0x60
		if i%perPicture == perPicture-1 {
			p[1] |= 0x80
		}
		binary.BigEndian.PutUint16(p[2:], uint16(number(i)))
		binary.BigEndian.PutUint32(p[4:], uint32(i/perPicture*3600))
		p = append(p, payload(i%perPicture)...)
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(p))), p...)
	}
	return b
}

// TestLargeInputCostsInProportion has packets that are many in one way each: what is allocated may not grow faster than
// they do.
func TestLargeInputCostsInProportion(t *testing.T) {
	inOrder := func(i int) int { return i }
	const forever = 1 << 30
	body := strings.Repeat("x", 1180)
	for name, c := range map[string]struct {
		format     convert.Format
		perPicture int
		number     func(i int) int
		payload    func(i int) string
	}{
		"a picture without an end": {convert.H264, forever, inOrder, func(i int) string {
			if i == 0 {
				return "\x7c\x85" + body
			}
			return "\x7c\x05" + body
		}},
		"a picture of small units":      {convert.H264, forever, inOrder, func(int) string { return "\x41\x9a" }},
		"pictures of small units":       {convert.H264, 100, inOrder, func(int) string { return "\x41\x9a" }},
		"units put together of nothing": {convert.H264, 10, inOrder, func(int) string { return "\x78" + strings.Repeat("\x00\x00", 500) }},
		"units put together of a byte":  {convert.H264, 10, inOrder, func(int) string { return "\x78" + strings.Repeat("\x00\x01\x41", 300) }},
		"beginnings without ends":       {convert.H264, 10, inOrder, func(int) string { return "\x7c\x85" + body }},
		"ends without beginnings":       {convert.H264, 10, inOrder, func(int) string { return "\x7c\x45" + body }},
		"every second one is missing":   {convert.H264, 10, func(i int) int { return 2 * i }, func(int) string { return "\x41\x9a" + body }},
		"in pairs the wrong way round":  {convert.H264, 10, func(i int) int { return i ^ 1 }, func(int) string { return "\x41\x9a" + body }},
		"all of one number":             {convert.H264, 10, func(int) int { return 7 }, func(int) string { return "\x41\x9a" + body }},
		"each far from the one before":  {convert.H264, 10, func(i int) int { return i * 20000 }, func(int) string { return "\x41\x9a" + body }},
		"empty ones":                    {convert.H264, 10, inOrder, func(int) string { return "" }},
		"HEVC without an end":           {convert.HEVC, forever, inOrder, func(int) string { return "\x62\x01\x01" + body }},
		"AV1 without an end":            {convert.AV1, forever, inOrder, func(int) string { return "\xd0" + body }},
		"AV1 of units of nothing":       {convert.AV1, 10, inOrder, func(int) string { return "\x00" + strings.Repeat("\x00", 1000) }},
		"VP9 without an end":            {convert.VP9, forever, inOrder, func(int) string { return "\x80\x01" + body }},
	} {
		// A picture that is put together grows by doubling; a tag has the picture once more.
		ingesttest.InProportion(t, name, 256<<10, 16*8*256<<10, func(n int) []byte { return packets(n, c.perPicture, c.number, c.payload) }, func(b []byte) {
			s := New(nil)
			s.Configure(Coding{Format: c.format, Rate: 90000}, Coding{})
			for at := time.Duration(0); len(b) > 0; at += ms {
				n := int(binary.BigEndian.Uint16(b))
				p, err := Parse(b[2 : 2+n])
				if err != nil {
					t.Fatal(err)
				}
				s.Picture(p, at)
				b = b[2+n:]
			}
			s.Flush()
		})
	}
}
