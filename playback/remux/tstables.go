package remux

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"
)

const (
	// tsPacket is the length of a packet of a transport stream, in bytes.
	tsPacket = 188
	// tsCount are the bits of a packet's fourth byte that are its continuity counter (ISO/IEC
	// 13818-1, 2.4.3.3). To a demuxer a counter that does not go on is a packet that was lost.
	tsCount = 0x0f
)

// tsTables are a transport stream's two tables, that of programs and that of the program's tracks,
// a packet each. The zero value is none.
type tsTables struct {
	packets []byte
	count   byte // continuity counter of the newest of both
	// version is the program map's, modulo 32 (2.4.4.9). A demuxer passes over a table whose
	// version it knows.
	version byte
}

// describe makes the tables of these tracks. The clock reference is that of the first.
func (t *tsTables) describe(tracks []*mpegts.Track) error {
	var b bytes.Buffer
	w := &mpegts.Writer{W: &b, Tracks: tracks}
	if err := w.Initialize(); err != nil {
		return fmt.Errorf("write MPEG-TS: %w", err)
	}
	if _, err := w.WriteTables(); err != nil {
		return fmt.Errorf("write MPEG-TS: %w", err)
	}
	if b.Len() != 2*tsPacket {
		return fmt.Errorf("write MPEG-TS: %d bytes of tables, not %d", b.Len(), 2*tsPacket)
	}
	if t.packets != nil {
		t.version++
	}
	t.packets = b.Bytes()
	putVersion(t.packets[tsPacket:], t.version)
	return nil
}

// append appends the tables as they come next.
func (t *tsTables) append(b []byte) []byte {
	t.count = (t.count + 1) & tsCount
	return t.again(b)
}

// again appends the tables as if they had been the newest of all, so that the next ones go on from
// them.
func (t *tsTables) again(b []byte) []byte {
	from := len(b)
	b = append(b, t.packets...)
	for p := b[from:]; len(p) > 0; p = p[tsPacket:] {
		p[3] = p[3]&^tsCount | t.count
	}
	return b
}

// putVersion sets the version of the table that begins and ends in a packet.
func putVersion(p []byte, version byte) {
	const start, adaptation = 0x40, 0x20 // bits of the second byte, and of the fourth
	const bits = 0x3e                    // of the table's sixth byte
	if p[1]&start == 0 {
		return
	}
	at := 4
	if p[3]&adaptation != 0 {
		at += 1 + int(p[at])
	}
	if at >= len(p) {
		return
	}
	if at += 1 + int(p[at]); at+6 > len(p) {
		return
	}
	end := at + 3 + (int(p[at+1]&0x0f)<<8 | int(p[at+2]))
	if end > len(p) || end < at+10 {
		return
	}
	p[at+5] = p[at+5]&^bits | version<<1&bits
	binary.BigEndian.PutUint32(p[end-4:], crcMPEG(p[at:end-4]))
}

// crcMPEG is the check of a table (ISO/IEC 13818-1, annex A), which no package of the standard
// library has: most significant bit first, and not inverted at the end.
func crcMPEG(b []byte) uint32 {
	const polynomial, top = 0x04c11db7, 1 << 31
	crc := ^uint32(0)
	for _, v := range b {
		crc ^= uint32(v) << 24
		for range 8 {
			if crc&top != 0 {
				crc = crc<<1 ^ polynomial
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
