package hostile

// ts is a packet of MPEG-TS (ISO/IEC 13818-1, 2.4.3): its PID with the flags in front of that, the byte of scrambling,
// adaptation and counter, and what is in it, filled with ones.
func ts(pid uint16, control byte, body ...any) []byte {
	b := cat("\x47", u16(int(pid)), control, cat(body...))
	if len(b) < tsPacket {
		b = cat(b, rep(0xff, tsPacket-len(b)))
	}
	return b[:tsPacket]
}

const (
	tsPacket = 188
	// tsBegins marks a packet in which a section or a PES packet begins.
	tsBegins = 0x4000
	// tsPlain is that there is payload alone, not scrambled.
	tsPlain = 0x10
)

// section is a section of a table (2.4.4) that says how long it is, and whose check is none.
func section(table byte, says int, body ...any) []byte {
	return cat(0, table, u16(0xb000|says&0xfff), cat(body...), "\xde\xad\xbe\xef")
}

// pes is the beginning of a PES packet (2.4.3.6).
func pes(stream byte, says int, body ...any) []byte {
	return cat("\x00\x00\x01", stream, u16(says), cat(body...))
}

// mpegTSTable is what strangers send to a port at which MPEG-TS comes in over UDP. Nobody is answered there, and who sends
// first is taken, until he is silent.
func mpegTSTable() Table {
	const pat, pmt, media, null = 0, 0x100, 0x101, 0x1fff
	t := Table{Port: MPEGTS}
	for name, b := range map[string][]byte{
		"nothing":                                     {},
		"a byte":                                      {0x47},
		"a packet that is cut":                        ts(null, tsPlain)[:187],
		"a packet and a byte":                         cat(ts(null, tsPlain), 0x47),
		"a packet that begins with another byte":      cat(0x48, ts(null, tsPlain)[1:]),
		"sync bytes alone":                            rep(0x47, 7*tsPacket),
		"zeros":                                       rep(0, 7*tsPacket),
		"345 packets of nothing":                      repeat(ts(null, tsPlain), 345),
		"packets whose sync byte wanders":             cat(ts(null, tsPlain), 0, ts(null, tsPlain)),
		"a head of RTP that is cut":                   cat("\x80\x21\x00\x01"),
		"a head of RTP with 15 sources, none there":   cat("\x8f\x21\x00\x01", rep(0, 8), ts(null, tsPlain)),
		"a head of RTP with 256 KiB behind it":        cat("\x90\x21\x00\x01", rep(0, 8), "\xbe\xde\xff\xff", ts(null, tsPlain)),
		"padding of RTP that is longer than all":      cat("\xa0\x21\x00\x01", rep(0, 8), ts(null, tsPlain)[:187], 0xff),
		"a PAT without a program":                     ts(pat|tsBegins, tsPlain, section(0, 9, "\x00\x01\xc1\x00\x00")),
		"a PAT of 4,095 bytes that does not end":      repeat(ts(pat|tsBegins, tsPlain, section(0, 0xfff, rep(1, 170))), 7),
		"a PAT whose check is wrong":                  ts(pat|tsBegins, tsPlain, section(0, 13, "\x00\x01\xc1\x00\x00\x00\x01\xe1\x00")),
		"a PAT that is its own program":               ts(pat|tsBegins, tsPlain, section(0, 13, "\x00\x01\xc1\x00\x00\x00\x01\xe0\x00")),
		"a section behind the end of its packet":      ts(pat|tsBegins, tsPlain, 0xff, rep(0, 20)),
		"a PMT with descriptors longer than it":       ts(pmt|tsBegins, tsPlain, section(2, 18, "\x00\x01\xc1\x00\x00\xe1\x01\xff\xff\x1b\xe1\x01\xff\xff")),
		"a section that goes on and never began":      ts(pmt, tsPlain, rep(0x2a, 184)),
		"an adaptation field longer than its packet":  ts(media, 0x30, 0xff, rep(0xff, 20)),
		"an adaptation field of no byte, and nothing": ts(media, 0x20, 0),
		"a clock of ones":                             ts(media, 0x20, "\xb7\x10\xff\xff\xff\xff\xff\xff"),
		"scrambled packets":                           repeat(ts(media|tsBegins, 0xd0, pes(0xe0, 0)), 7),
		"packets that say that they are wrong":        repeat(ts(media|tsBegins|0x8000, tsPlain, pes(0xe0, 0)), 7),
		"a PES packet of a head of 255 bytes":         ts(media|tsBegins, tsPlain, pes(0xe0, 3, "\x80\xc0\xff")),
		"a PES packet with times that are not there":  ts(media|tsBegins, tsPlain, pes(0xe0, 0, "\x80\xc0\x00")),
		"a PES packet of times of ones":               ts(media|tsBegins, tsPlain, pes(0xe0, 0, "\x80\xc0\x0a", rep(0xff, 10))),
		"a PES packet without its beginning":          ts(media|tsBegins, tsPlain, "\x00\x00\x02\xe0"),
		"the counter of each packet the same":         repeat(ts(media, 0x17, rep(0xaa, 184)), 40),
		"a packet of each PID":                        eachPID(340),
	} {
		t.Inputs = append(t.Inputs, Input{Name: name, Bytes: b, Want: Ignored})
	}
	return t
}

func repeat(b []byte, n int) (all []byte) {
	for range n {
		all = append(all, b...)
	}
	return all
}

// eachPID is a beginning of pictures on each of so many PIDs.
func eachPID(n int) (all []byte) {
	for i := range n {
		all = append(all, ts(uint16(0x20+i)|tsBegins, tsPlain, pes(0xe0, 0, "\x80\x80\x05\x21\x00\x01\x00\x01", rep(0, 40)))...)
	}
	return all
}
