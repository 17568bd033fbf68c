package hostile

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"relay/relay/stream"
)

// Atoms as relay/pcp/spec.md has them.

func le32(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }

func atomHead(name string, length uint32) []byte {
	return cat(name, rep(0, 4-len(name)), le32(length))
}

// atom is one with data.
func atom(name string, data ...any) []byte {
	b := cat(data...)
	return cat(atomHead(name, uint32(len(b))), b)
}

// atoms is one with children.
func atoms(name string, children ...[]byte) []byte {
	b := atomHead(name, uint32(len(children))|1<<31)
	for _, c := range children {
		b = append(b, c...)
	}
	return b
}

// pcpHelo is an honest one, with what is added.
func pcpHelo(more ...[]byte) []byte { return pcpHeloOf(0x5a, more...) }

// pcpHeloOf is that of a session: a second one takes the place of the first.
func pcpHeloOf(session byte, more ...[]byte) []byte {
	return atoms("helo", append([][]byte{atom("agnt", "PeerCast/0.1218\x00"), atom("ver", le32(1218)), atom("sid", rep(session, 16))}, more...)...)
}

// CallBack is that of a PeerCast which nobody has asked to call.
func CallBack(ch stream.ChannelID) []byte { return cat("GIV /" + PeerCastID(ch) + "\r\n\r\n") }

// PortTest asks, on a connection without a channel, to have somebody else's port tried: wherever there is an address to say, it is
// his.
func PortTest(of netip.AddrPort) []byte {
	ip := of.Addr().Unmap().AsSlice()
	slices.Reverse(ip)
	port := binary.LittleEndian.AppendUint16(nil, of.Port())
	return cat(atom("pcp\n", le32(1)), pcpHelo(atom("ping", port), atom("port", port), atom("ip", ip), atom("rip", ip), atoms("host", atom("ip", ip), atom("port", port))))
}

// PeerCastID is the channel's ID, as PeerCast prints it.
func PeerCastID(ch stream.ChannelID) string { return fmt.Sprintf("%X", peerCastID(ch)) }

func peerCastID(ch stream.ChannelID) []byte {
	sum := sha256.Sum256(cat("relay/1 pcp\x00", ch[:]))
	return sum[:16]
}

// peerCastTable is what strangers send to a port at which PeerCast is served.
func peerCastTable(ch stream.ChannelID) Table {
	t := Table{Port: PeerCast, Why: map[string]string{}}
	add := func(name, why string, b ...any) {
		t.Inputs = append(t.Inputs, Input{Name: name, Bytes: cat(b...), Want: Refused})
		t.Why[name] = why
	}
	odd := func(name string, want Want, says string, b ...any) {
		t.Inputs = append(t.Inputs, Input{name, cat(b...), want, says})
	}
	get := func(path string, lines ...string) string {
		return "GET " + path + " HTTP/1.0\r\n" + strings.Join(append(lines, ""), "\r\n") + "\r\n"
	}
	channel := "/channel/" + PeerCastID(ch)
	ask := get(channel, "x-peercast-pos: 0", "x-peercast-pcp: 1")
	in := func() []byte { return cat(ask, pcpHeloOf(byte(len(t.Inputs)+1))) } // who says this is let in
	connect := atom("pcp\n", le32(1))
	id := atom("id", peerCastID(ch))
	host := func(more ...[]byte) []byte {
		return atoms("host", append([][]byte{atom("cid", peerCastID(ch)), atom("flg1", "\x12")}, more...)...)
	}

	// from is a host that says that it has the channel from another one, of whatever session.
	from := func(session, other byte) []byte {
		at := func(n byte) []byte { return []byte{n, 113, 0, 203} }
		return atoms("bcst", host(atom("id", rep(session, 16)), atom("ip", at(session)), atom("port", "\xe8\x1b"), atom("upip", at(other)), atom("uppt", le32(7144)), atom("uphp", le32(1))))
	}

	add("a call back that nobody has asked for", "pcp_not_http", CallBack(ch))
	add("a request without a path", "pcp_not_http", "GET\r\n\r\n")
	add("a request of HTTP 9", "pcp_not_http", "GET / HTTP/9.0\r\n\r\n")
	add("a path without a slash", "pcp_not_http", "GET channel HTTP/1.0\r\n\r\n")
	add("a channel of 31 digits", "pcp_not_http", get("/channel/"+PeerCastID(ch)[1:], "x-peercast-pcp: 1"))
	add("a channel of no digits", "pcp_not_http", get("/channel/"+strings.Repeat("ZZ", 16), "x-peercast-pcp: 1"))
	add("the channel of zeros", "pcp_not_http", get("/channel/"+strings.Repeat("00", 16), "x-peercast-pcp: 1"))
	add("a channel that is not here", "channel", get("/channel/"+strings.Repeat("AB", 16), "x-peercast-pcp: 1"))
	add("a channel, not over PCP", "path", get(channel))
	add("a playlist of a channel that is not here", "channel", get("/pls/"+strings.Repeat("AB", 16)+".pls"))
	add("the media of a channel that is not here", "channel", get("/stream/"+strings.Repeat("AB", 16)+".flv"))
	add("PeerCast's own administration", "path", get("/admin?cmd=shutdown"))
	add("a way out of its folder", "path", get("/html/../../../../etc/passwd"))
	add("a line without end", "pcp_long_head", "GET /", rep('a', 16<<10))
	add("lines without end", "pcp_long_head", "GET / HTTP/1.0\r\n", strings.Repeat("a: b\r\n", 2000))
	add("a request that does not end", "silent", "GET "+channel)
	add("one letter", "silent", "G")
	add("half a name", "silent", "pc")

	add("a beginning of 8 bytes", "pcp_wrong_size", atom("pcp\n", rep(1, 8)))
	add("a beginning of 2 GiB", "pcp_too_long", atomHead("pcp\n", 1<<31-1))
	add("a beginning with children", "pcp_wrong_size", atoms("pcp\n"))
	add("another atom that begins with the letter", "pcp_unknown_atom", atom("ping", le32(1)))
	add("a beginning twice", "not_due", connect, connect)
	add("a channel in place of who one is", "not_due", connect, atoms("chan", id))
	add("an order to dial somebody", "not_due", connect, atoms("push", atom("ip", le32(0x7f000001)), atom("port", "\x19\x00"), atom("cid", peerCastID(ch))))
	add("nobody", "pcp_missing", connect, atoms("helo"))
	add("a session of zeros", "pcp_missing", connect, atoms("helo", atom("sid", rep(0, 16)), atom("ver", le32(1218))))
	add("a session of 15 bytes", "pcp_wrong_size", connect, atoms("helo", atom("sid", rep(1, 15))))
	add("a session that has children", "pcp_wrong_size", connect, atoms("helo", atoms("sid")))
	add("a version of long ago", "version", connect, atoms("helo", atom("sid", rep(1, 16)), atom("ver", le32(1))))
	add("a version of 2 bytes", "pcp_wrong_size", connect, pcpHelo(atom("ver", "\x01\x02")))
	add("a port of 4 bytes", "pcp_wrong_size", connect, pcpHelo(atom("port", le32(7144))))
	add("a port to try of 1 byte", "pcp_wrong_size", connect, pcpHelo(atom("ping", "\x01")))
	add("a program's name of 16 KiB", "pcp_too_long", connect, atomHead("helo", 1<<31|1), atom("agnt", rep('a', 16<<10)))
	add("more than a stranger may say", "too_often", connect, pcpHelo(atom("what", rep('a', 12<<10))))
	add("65 children", "pcp_too_many_kids", connect, atomHead("helo", 1<<31|65))
	add("2^31-1 children", "pcp_too_many_kids", connect, atomHead("helo", 1<<32-1))
	add("children of children of children of children", "pcp_too_deep", connect, atoms("bcst", atoms("chan", atoms("info", atoms("name", atom("x"))))))
	add("an atom without a name", "pcp_unknown_atom", connect, rep(0, 8))
	add("an atom that nobody knows", "pcp_unknown_atom", connect, atom("evil", "\x00"))

	add("nobody says who it is behind the request", "slow", ask)
	add("HTTP in place of atoms", "pcp_unknown_atom", ask, "GET / HTTP/1.0\r\n\r\n")
	add("who one is, twice", "not_due", in(), pcpHelo())
	add("an answer that nobody has asked for", "not_due", in(), atoms("oleh", atom("sid", rep(1, 16))))
	add("what only an index says", "not_due", in(), atoms("root", atom("uint", le32(1)), atoms("upd")))
	add("a stream from below", "not_due", in(), atoms("chan", id, atoms("pkt", atom("type", "data"), atom("pos", le32(0)), atom("data", rep(0, 15360)))))
	add("data of 2 GiB", "pcp_too_long", in(), atomHead("chan", 1<<31|1), atomHead("pkt", 1<<31|2), atom("type", "data"), atomHead("data", 1<<31-1))
	add("a head of a byte too many", "pcp_too_long", in(), atomHead("chan", 1<<31|1), atomHead("pkt", 1<<31|2), atom("type", "head"), atomHead("data", 64<<10+1))
	add("data twice in a packet", "pcp_too_many_kids", in(), atoms("chan", atoms("pkt", atom("data"), atom("data"))))
	add("a channel with what nobody knows", "pcp_unknown_atom", in(), atoms("bcst", atoms("chan", id, atom("evil"))))
	add("flags of 4 bytes", "pcp_wrong_size", in(), host(atom("flg1", le32(0x12))))
	add("a host that has data", "pcp_wrong_size", in(), atom("host", "data"))
	add("an address of 5 bytes", "pcp_wrong_size", in(), atoms("bcst", host(atom("ip", rep(1, 5)))))
	add("a broken order to dial somebody", "pcp_wrong_size", in(), atoms("bcst", atoms("push", atom("port", "\x01"))))
	add("a message with 65 parts", "pcp_too_many_kids", in(), atomHead("bcst", 1<<31|65))
	add("a message that goes too deep", "pcp_too_deep", in(), atoms("bcst", atoms("host", atoms("host", atoms("host", atom("host"))))))
	add("a message of 17 KiB", "pcp_too_long", in(), atom("mesg", rep('a', 17<<10)))
	add("an end of 8 bytes", "pcp_wrong_size", in(), atom("quit", rep(0, 8)))
	add("a flood of hosts", "too_often", in(), strings.Repeat(string(atoms("bcst", host(atom("id", rep(7, 16))))), 1000))

	// Odd, and no harm in it.
	odd("a port to try at which nobody listens", Served, "oleh", connect, pcpHelo(atom("ping", "\x01\xff")))
	odd("who one is, and nothing else", Served, "oleh", connect, atoms("helo", atom("sid", rep(1, 16))))
	add("who one is, and nothing else, where a channel is asked for", "version", ask, atoms("helo", atom("sid", rep(byte(len(t.Inputs)+1), 16))))
	odd("a port to try that is the system's", Served, "oleh", connect, pcpHelo(atom("ping", "\x19\x00")))
	t.Why["a port to try that is the system's"] = "port_barred"
	odd("a port to try, for fewer bytes than that takes", Served, "oleh", connect, atoms("helo", atom("sid", rep(1, 16)), atom("ver", le32(1218)), atom("ping", "\x01\xff")))
	t.Why["a port to try, for fewer bytes than that takes"] = "port_untested"
	odd("a port to try, of somebody else", Served, "oleh", PortTest(netip.MustParseAddrPort("192.0.2.1:7144")))
	odd("hosts that have the channel from each other", Answered, "oleh", in(), from(1, 2), from(2, 3), from(3, 1), from(1, 1))
	odd("a program's name that clears the screen", Served, "oleh", connect, atoms("helo", atom("sid", rep(1, 16)), atom("ver", le32(1218)), atom("agnt", "\x1b[2J\xff\x00")))
	odd("a position of 30 digits", Answered, "oleh", get(channel, "x-peercast-pos:"+strings.Repeat("9", 30), "x-peercast-pcp:100"), pcpHelo())
	odd("an order to dial somebody, from who is let in", Answered, "oleh", in(), atoms("bcst", atoms("push", atom("ip", le32(0x7f000001)), atom("port", "\x19\x00"))))
	odd("hosts of another channel", Answered, "oleh", in(), atoms("bcst", atoms("host", atom("cid", rep(9, 16)), atom("id", rep(8, 16)), atom("flg1", "\x10"))))
	odd("an end in the middle of who one is", Ended, "", connect, pcpHelo()[:20])
	odd("an end in the middle of a request", Ended, "", ask[:30])
	odd("an end in the middle of a host", Ended, "", in(), host()[:30])
	return t
}
