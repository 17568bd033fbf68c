package mpegts

import (
	"encoding/binary"
	"slices"
)

// muxer makes packets as a sender does, by hand, so that each byte can be what no sender makes it.
type muxer struct {
	counters map[uint16]byte
	out      []byte
}

func newMuxer() *muxer { return &muxer{counters: make(map[uint16]byte)} }

// packets puts a payload, in which a unit starts, into packets with stuffing in front where it is
// short.
func (m *muxer) packets(pid uint16, payload []byte) {
	first := true
	for first || len(payload) > 0 {
		n := min(len(payload), packetLen-headLen)
		if n == packetLen-headLen-1 {
			n-- // one byte of stuffing is an adaptation field of none
		}
		b := []byte{syncByte, byte(pid >> 8), byte(pid), 0x10 | m.counters[pid]}
		if first {
			b[1] |= 0x40
		}
		if stuff := packetLen - headLen - n; stuff > 0 {
			b[3] |= 0x20
			b = append(b, byte(stuff-1))
			if stuff > 1 {
				b = append(append(b, 0), slices.Repeat([]byte{0xff}, stuff-2)...)
			}
		}
		b = append(b, payload[:n]...)
		payload = payload[n:]
		m.counters[pid] = (m.counters[pid] + 1) & 15
		m.out = append(m.out, b...)
		first = false
	}
}

// section is a table's, with its checksum, ready for packets.
func section(table byte, number uint16, version byte, body []byte) []byte {
	n := 5 + len(body) + crcLen
	b := []byte{table, 0xb0 | byte(n>>8), byte(n), byte(number >> 8), byte(number), 0xc1 | version<<1, 0, 0}
	b = append(b, body...)
	return append([]byte{0}, binary.BigEndian.AppendUint32(b, crc32(b))...) // the pointer
}

// pat says where the maps of programs are: number, PID, and so on.
func (m *muxer) pat(version byte, programs ...uint16) {
	var body []byte
	for i := 0; i < len(programs); i += 2 {
		body = binary.BigEndian.AppendUint16(body, programs[i])
		body = binary.BigEndian.AppendUint16(body, 0xe000|programs[i+1])
	}
	m.packets(patPID, section(patTable, 1, version, body))
}

// es is one of a program's streams, with its descriptors.
type es struct {
	typ   byte
	pid   uint16
	descr string
}

func (m *muxer) pmt(pid, number uint16, version byte, streams ...es) {
	body := []byte{0xff, 0xff, 0xf0, 0}
	for _, s := range streams {
		body = append(body, s.typ, 0xe0|byte(s.pid>>8), byte(s.pid), 0xf0|byte(len(s.descr)>>8), byte(len(s.descr)))
		body = append(body, s.descr...)
	}
	m.packets(pid, section(pmtTable, number, version, body))
}

// stampOf is how a time is written, behind four bits of a mark.
func stampOf(mark byte, t int64) []byte {
	t &= 1<<33 - 1
	return []byte{mark<<4 | byte(t>>29)&0x0e | 1, byte(t >> 22), byte(t>>14) | 1, byte(t >> 7), byte(t<<1) | 1}
}

// unit is a PES with a time of showing and, if dts is not negative, one of decoding. A video unit
// does not say how long it is.
func unit(id byte, pts, dts int64, data []byte) []byte {
	times, flags := stampOf(2, pts), byte(0x80)
	if dts >= 0 {
		times, flags = append(stampOf(3, pts), stampOf(1, dts)...), 0xc0
	}
	b := append([]byte{0, 0, 1, id, 0, 0, 0x80, flags, byte(len(times))}, times...)
	b = append(b, data...)
	if n := len(b) - 6; id < 0xe0 && n < 1<<16 {
		binary.BigEndian.PutUint16(b[4:], uint16(n))
	}
	return b
}

func (m *muxer) video(pid uint16, pts, dts int64, data []byte) {
	m.packets(pid, unit(0xe0, pts, dts, data))
}

func (m *muxer) audio(pid uint16, pts int64, data []byte) {
	m.packets(pid, unit(0xc0, pts, -1, data))
}

// H.264 of 192x108 pictures by x264, as far as it matters here: nothing decodes it.
var (
	sps     = []byte("\x00\x00\x00\x01\x67\x42\xc0\x0b\xda\x0c\x3f\xef\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\x20\xf1\x42\xaa")
	pps     = []byte("\x00\x00\x00\x01\x68\xce\x0f\xc8")
	idr     = slices.Concat([]byte("\x00\x00\x00\x01\x09\x10"), sps, pps, []byte("\x00\x00\x01\x65\x88\x84\x0a"))
	inter   = []byte("\x00\x00\x00\x01\x09\x30\x00\x00\x01\x41\x9a\x24\x6c")
	aacData = []byte{0xff, 0xf1, 0x4c, 0x80, 0x01, 0x5f, 0xfc, 0x21, 0x10, 0x04} // 48 kHz, two channels
)

// plain is a stream of H.264 and AAC, of so many pictures 3600 apart, with a key frame at each eighth.
func plain(m *muxer, from int64, pictures int) {
	m.pat(0, 1, 0x1000)
	m.pmt(0x1000, 1, 0, es{0x1b, 0x100, ""}, es{0x0f, 0x101, ""})
	m.frames(0x100, 0x101, from, pictures)
}

func (m *muxer) frames(video, audio uint16, from int64, pictures int) {
	for i := range int64(pictures) {
		m.audio(audio, from+i*3600, slices.Concat(aacData, aacData))
		data := append(slices.Clone(inter), byte(i))
		if i%8 == 0 {
			data = append(slices.Clone(idr), byte(i))
		}
		m.video(video, from+i*3600, -1, append(data, 0x80))
	}
}
