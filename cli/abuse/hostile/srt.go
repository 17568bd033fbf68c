package hostile

// Kinds of a handshake of SRT (draft-sharabayko-srt-01, table 4).
const (
	srtInduction  = 1
	srtConclusion = 0xffffffff
)

// srtPacket is a control packet of SRT for no connection in particular.
func srtPacket(kind uint32, body ...any) []byte {
	return cat(u32(0x80000000|kind<<16), u32(0), u32(0), u32(0), cat(body...))
}

// srtHandshake is a handshake of a version, up to its extensions.
func srtHandshake(version, kind, socket, cookie uint32, extensions ...any) []byte {
	field := uint32(2)
	if version == 5 {
		field = 7
	}
	return srtPacket(0, u32(version), u32(field), u32(1), u32(1500), u32(8192), u32(kind), u32(socket), u32(cookie), rep(0, 16), cat(extensions...))
}

// SRTHello is the first question of a caller over SRT.
func SRTHello(socket uint32) []byte { return srtHandshake(4, srtInduction, socket, 0) }

// srtSuits is the extension of libsrt 1.5, with latencies of 120 ms.
const srtSuits = "\x00\x01\x00\x03\x00\x01\x05\x00\x00\x00\x00\xbf\x00\x78\x00\x78"

// srtKey is one with a key of AES-128 that no passphrase opens.
var srtKey = cat("\x00\x03\x00\x0e\x12\x20\x29\x01", u32(0), "\x02\x00\x02\x00\x00\x00\x04\x04", rep('s', 16), rep('w', 24))

// srtTail are extensions that break the rules, or that others break.
var srtTail = []struct {
	name string
	b    []byte
}{
	{"none", nil},
	{"one byte", []byte{0}},
	{"three bytes", []byte{0, 5, 0}},
	{"what suits, and a byte", cat(srtSuits, "\x00")},
	{"what suits", []byte(srtSuits)},
	{"what suits, twice", cat(srtSuits, srtSuits)},
	{"a length of 262,140 bytes", []byte("\x00\x05\xff\xff")},
	{"a stream ID of 1,400 bytes", cat(srtSuits, "\x00\x05\x01\x5e", rep('x', 1400))},
	{"a stream ID of zeros", cat(srtSuits, "\x00\x05\x00\x80", rep(0, 512))},
	{"300 empty ones", rep(0, 1200)},
	{"a key that nothing opens", cat(srtSuits, srtKey)},
	{"a key without a body", cat(srtSuits, "\x00\x03\x00\x00")},
	{"a key of four bytes, which is an error", cat(srtSuits, "\x00\x03\x00\x01\x04\x00\x00\x00")},
	{"a key of 255 words", cat(srtSuits, "\x00\x03\x00\x04\x12\x20\x29\x01", u32(0), "\x02\x00\x02\x00\x00\x00\x04\xff")},
	{"65 s of latency", []byte("\x00\x01\x00\x03\x00\x01\x05\x00\x00\x00\x00\xbf\xff\xff\xff\xff")},
	{"a file", []byte("\x00\x01\x00\x03\x00\x01\x05\x00\x00\x00\x00\xff\x00\x78\x00\x78")},
	{"libsrt 0.0", []byte("\x00\x01\x00\x03\x00\x00\x00\x00\x00\x00\x00\xbf\x00\x78\x00\x78")},
	{"another congestion control", cat(srtSuits, "\x00\x06\x00\x01elif")},
	{"a group", cat(srtSuits, "\x00\x08\x00\x02", rep(1, 8))},
}

// SRTConclusion is the i-th second question of a caller, with the cookie that it was given.
func SRTConclusion(cookie uint32, i int) []byte {
	version := uint32(5)
	if i%11 == 10 {
		version = 4
	}
	b := srtHandshake(version, srtConclusion, uint32(i+1), cookie, srtTail[i%len(srtTail)].b)
	if i%7 == 6 {
		copy(b[28:], u32(uint32(i%300))) // a small segment
	}
	return b
}

// SRTCookie returns the cookie in an answer to a first question; 0 if it is none.
func SRTCookie(b []byte) (c uint32) {
	if len(b) < 64 {
		return 0
	}
	for _, x := range b[44:48] {
		c = c<<8 | uint32(x)
	}
	return c
}

// srtTable is what strangers send to a port for SRT. None of it has the right cookie, so that nothing but a first
// question is answered.
func srtTable() Table {
	t := Table{Port: SRT}
	add := func(name string, b ...any) {
		t.Inputs = append(t.Inputs, Input{Name: name, Bytes: cat(b...), Want: Dropped})
	}
	t.Inputs = append(t.Inputs,
		Input{"a first question", SRTHello(1), Answered, "\x4a\x17"},
		Input{"a first question of version 5", srtHandshake(5, srtInduction, 2, 0), Answered, "\x4a\x17"},
		Input{"a first question of socket 0", SRTHello(0), Answered, "\x4a\x17"},
		Input{"a first question with extensions", srtHandshake(4, srtInduction, 3, 0, srtSuits), Answered, "\x4a\x17"},
	)
	for _, e := range srtTail {
		add("a second question without a cookie, with "+e.name, srtHandshake(5, srtConclusion, 4, 0, e.b))
		add("a second question with a guessed cookie, with "+e.name, srtHandshake(5, srtConclusion, 5, 0xdeadbeef, e.b))
	}
	for _, kind := range []uint32{0, 2, 1010, 0x80000000, 0xfffffffd, 0xfffffffe} {
		add("a handshake of kind "+string(hex(kind)), srtHandshake(5, kind, 6, 0, srtSuits))
	}
	for kind := range uint32(10) {
		add("a control packet of kind "+string('0'+rune(kind))+" without a body", srtPacket(kind))
	}
	add("a message of a user", srtPacket(0x7fff, rep(0, 64)))
	add("half a handshake", SRTHello(1)[:40])
	add("half a head", SRTHello(1)[:9])
	add("nothing")
	add("a byte", "\x80")
	add("data for no connection", rep(0, 16+1316))
	add("data for a guessed connection", rep(0x47, 16+1316))
	add("a keepalive for a guessed connection", u32(0x80010000), u32(0), u32(0), u32(0x47474747))
	add("MPEG-TS without SRT", rep(0x47, 1316))
	add("RTMP", "\x03", rep(0, 1400))
	add("HTTP", "GET / HTTP/1.1\r\nHost: relay\r\n\r\n")
	add("a first question with 1,437 bytes behind it, more than Ethernet carries", SRTHello(1), rep(0, 1437))
	add("a first question with 60,000 bytes behind it", SRTHello(1), rep(0, 60_000))
	add("65,507 bytes, as much as a packet holds", rep(0x80, 65_507))
	return t
}

// hex writes a number of 32 bits.
func hex(n uint32) (b []byte) {
	for i := range 8 {
		b = append(b, "0123456789abcdef"[n>>(28-4*i)&15])
	}
	return b
}
