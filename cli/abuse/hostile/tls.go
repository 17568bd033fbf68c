package hostile

import (
	"bytes"
	"fmt"
	"strings"
)

// record is a record of TLS (RFC 8446, 5.1).
func record(typ byte, b ...any) []byte { return cat(typ, "\x03\x01", with16(b...)) }

// handshakeMessage is a message of a handshake (RFC 8446, 4).
func handshakeMessage(typ byte, b ...any) []byte {
	body := cat(b...)
	return cat(typ, u24(len(body)), body)
}

// hello is a ClientHello's fields that hostile ones change.
type hello struct {
	version  string // legacy_version
	session  []byte
	suites   []byte
	compress []byte
	ext      [][]byte
}

func extension(typ int, b ...any) []byte { return cat(u16(typ), with16(b...)) }

// Extensions of an honest ClientHello for a link.
var (
	extVersions   = extension(43, with8("\x03\x04"))
	extGroups     = extension(10, with16("\x00\x1d"))
	extSignatures = extension(13, with16("\x08\x07\x04\x03"))
	extALPN       = extension(16, with16(with8("relay/1")))
	extKeyShare   = extension(51, with16("\x00\x1d", with16("\x09", rep(0, 31)))) // X25519's base point
)

func honestHello() hello {
	return hello{"\x03\x03", rep(1, 32), []byte("\x13\x01\x13\x03"), []byte{0}, [][]byte{extVersions, extGroups, extSignatures, extALPN, extKeyShare}}
}

func (h hello) message() []byte {
	var ext []byte
	for _, e := range h.ext {
		ext = cat(ext, e)
	}
	return handshakeMessage(1, h.version, rep('r', 32), with8(h.session), with16(h.suites), with8(h.compress), with16(ext))
}

// with returns the hello with an extension in the place of the one of its type, or behind the others.
func (h hello) with(e []byte) hello {
	ext := make([][]byte, 0, len(h.ext)+1)
	at := false
	for _, o := range h.ext {
		if string(o[:2]) == string(e[:2]) {
			o, at = e, true
		}
		ext = append(ext, o)
	}
	if !at {
		ext = append(ext, e)
	}
	h.ext = ext
	return h
}

// without returns the hello without its i-th extension.
func (h hello) without(i int) hello {
	h.ext = append(append([][]byte(nil), h.ext[:i]...), h.ext[i+1:]...)
	return h
}

// tlsTable is what strangers say at the port for links where TLS is expected.
func tlsTable() Table {
	t := Table{Port: TLS}
	add := func(name string, want Want, b ...any) {
		t.Inputs = append(t.Inputs, Input{Name: name, Bytes: cat(b...), Want: want})
	}
	good := honestHello()
	m := good.message()
	add("nothing", Ended)
	add("HTTP", Refused, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
	add("RTMP", Refused, shaken)
	add("SSH", Refused, "SSH-2.0-Go\r\n")
	add("SSL 2", Refused, "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", rep(1, 40))
	add("SSL 3", Refused, "\x16\x03\x00", with16(m))
	add("zeros", Refused, rep(0, 4096))
	add("ones", Refused, rep(255, 4096))
	add("a record's head, cut", Ended, "\x16\x03")
	add("a record of 65,535 bytes", Refused, "\x16\x03\x01\xff\xff", rep(1, 70_000))
	add("a record of 18,000 bytes", Refused, "\x16\x03\x01", u16(18_000), rep(1, 18_000))
	add("a record without its bytes", Ended, "\x16\x03\x01\x01\x00")
	add("empty records, 200 of them", Refused, bytes.Repeat(record(22), 200))
	add("an alert first", Refused, record(21, "\x02\x28"))
	add("an alert of no byte", Refused, record(21))
	add("a hundred warnings", Refused, bytes.Repeat(record(21, "\x01\x5a"), 100))
	add("close_notify first", Refused, record(21, "\x01\x00"))
	add("ChangeCipherSpec first", Refused, record(20, "\x01"))
	add("application data first", Refused, record(23, rep(7, 100)))
	add("a heartbeat that asks for 16 KiB", Refused, record(24, "\x01\x3f\xff", rep(7, 4)))
	add("a record of type 99", Refused, record(99, "abc"))
	for _, typ := range []byte{0, 2, 4, 8, 11, 13, 15, 20, 24, 254, 255} {
		add(fmt.Sprintf("a handshake that begins with message %d", typ), Refused, record(22, handshakeMessage(typ, rep(0, 40))))
	}
	add("a message of 16 MiB announced", Refused, record(22, "\x01\xff\xff\xff", rep(0, 100)))
	add("a hello of 70,000 bytes", Refused, bigHello(70_000))
	add("a hello in records of one byte", Answered, recordsOf(len(m), m))
	add("a hello, cut", Ended, record(22, m)[:100])
	add("a hello of no bytes", Refused, record(22, handshakeMessage(1)))
	add("a hello with bytes left over", Refused, record(22, handshakeMessage(1, m[4:], "more")))
	add("an honest hello, and no more", Ended, record(22, m))
	add("an honest hello, then another", Refused, record(22, m), record(22, m))
	add("an honest hello, then rubbish", Refused, record(22, m), record(23, rep(1, 200)))
	add("an honest hello, then 1,000 ChangeCipherSpecs", Refused, record(22, m), strings.Repeat("\x14\x03\x03\x00\x01\x01", 1000))
	bad := func(name string, h hello) { add(name, Refused, record(22, h.message())) }
	bad("a session ID of 33 bytes", hello{good.version, rep(1, 33), good.suites, good.compress, good.ext})
	bad("no suites", hello{good.version, good.session, nil, good.compress, good.ext})
	bad("half a suite", hello{good.version, good.session, []byte{0x13}, good.compress, good.ext})
	bad("30,000 suites that are greased", hello{good.version, good.session, rep(0x0a, 60_000), good.compress, good.ext})
	bad("no compression at all", hello{good.version, good.session, good.suites, nil, good.ext})
	bad("compression", hello{good.version, good.session, good.suites, []byte{1}, good.ext})
	bad("no extension", hello{good.version, good.session, good.suites, good.compress, nil})
	for i, name := range []string{"versions", "groups", "signatures", "ALPN", "key share"} {
		if i > 0 && name != "key share" && name != "groups" {
			bad("no "+name, good.without(i))
		}
	}
	bad("TLS 1.2 alone", good.without(0))
	bad("TLS 1.0 alone", good.with(extension(43, with8("\x03\x01"))))
	bad("versions of no meaning", good.with(extension(43, with8("\x7f\x7f\xaa\xaa"))))
	bad("no version in the list", good.with(extension(43, with8())))
	bad("half a version", good.with(extension(43, with8("\x03"))))
	bad("ALPN h2", good.with(extension(16, with16(with8("h2")))))
	bad("ALPN http/1.1", good.with(extension(16, with16(with8("http/1.1")))))
	bad("ALPN relay/0", good.with(extension(16, with16(with8("relay/0")))))
	bad("ALPN with an empty name", good.with(extension(16, with16(with8()))))
	bad("ALPN of no names", good.with(extension(16, with16())))
	bad("ALPN longer than it is", good.with(extension(16, u16(500), with8("relay/1"))))
	bad("ALPN of 60,000 names", good.with(extension(16, with16(strings.Repeat("\x01x", 30_000)))))
	bad("a key of zeros", good.with(extension(51, with16("\x00\x1d", with16(rep(0, 32))))))
	bad("a key that is too short", good.with(extension(51, with16("\x00\x1d", with16("abc")))))
	bad("a key of P-256 that is no point", good.with(extension(51, with16("\x00\x17", with16("\x04", rep(1, 64))))).with(extension(10, with16("\x00\x17"))))
	bad("two keys of a group", good.with(extension(51, with16("\x00\x1d", with16("\x09", rep(0, 31)), "\x00\x1d", with16("\x09", rep(0, 31))))))
	bad("keys longer than they are", good.with(extension(51, u16(9999), "\x00\x1d")))
	bad("an extension twice", hello{good.version, good.session, good.suites, good.compress, append(good.ext[:5:5], extALPN)})
	bad("an extension longer than it is", hello{good.version, good.session, good.suites, good.compress, append(good.ext[:5:5], cat(u16(0), u16(5000), "x"))})
	bad("a server name that ends in a dot", good.with(extension(0, with16("\x00", with16("example.")))))
	bad("two server names", good.with(extension(0, with16("\x00", with16("a"), "\x00", with16("b")))))
	bad("a server name of no bytes", good.with(extension(0, with16("\x00", with16()))))
	bad("a PSK that is not last", hello{good.version, good.session, good.suites, good.compress, append([][]byte{extension(41, with16(with16("id"), u32(0)), with16(with8(rep(0, 32))))}, good.ext...)})
	bad("a PSK without a binder", good.with(extension(41, with16(with16("id"), u32(0)), with16())))
	bad("signatures of odd length", good.with(extension(13, with16("\x08\x07\x04"))))
	bad("no signature in the list", good.with(extension(13, with16())))
	bad("signatures that are all too weak", good.with(extension(13, with16("\x02\x01\x02\x03"))))
	return t
}

// recordsOf splits b into n records.
func recordsOf(n int, b []byte) []byte {
	var all []byte
	for i := range n {
		all = append(all, record(22, b[i*len(b)/n:(i+1)*len(b)/n])...)
	}
	return all
}

// bigHello announces a hello of n bytes and sends it all.
func bigHello(n int) []byte {
	b := cat("\x01", u24(n), rep(0, n))
	return recordsOf(5, b)
}
