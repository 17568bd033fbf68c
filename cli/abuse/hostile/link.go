package hostile

import (
	"bytes"
	"fmt"
	"strings"

	"relay/relay/stream"
)

// frames is the table of frames of relay/wire/spec.md: what may come, and how long its body is.
var frames = []struct {
	typ         byte
	name        string
	least, most int
}{
	{0x01, "chunk", 103, 16380},
	{0x02, "header", 86, 262230},
	{0x03, "beat", 98, 98},
	{0x04, "gap", 8, 8},
	{0x05, "sums", 186, 602},
	{0x10, "hello", 1, 122},
	{0x11, "welcome", 33, 7899},
	{0x12, "refer", 2, 874},
	{0x13, "pull", 24, 24},
	{0x14, "heartbeat", 67, 67},
	{0x15, "path", 1, 6977},
	{0x16, "report", 32, 32},
	{0x17, "bye", 2, 874},
	{0x18, "backups", 1, 437},
	{0x19, "sample", 3, 2303},
	{0x1a, "facts", 24, 152664},
	{0x1b, "survey", 1, 33},
	{0x1c, "whole", 24, 152664},
	{0x20, "probed", 8, 20},
	{0x21, "seen", 7, 19},
	{0x22, "call", 32, 32},
	{0x23, "called", 33, 51},
	{0x24, "offer", 1, 65},
	{0x25, "through", 1, 1},
	{0x26, "callable", 7, 7},
	{0x27, "rooms", 12, 12},
	{0x28, "dialme", 1, 35},
	{0x29, "dialled", 9, 21},
	{0x2a, "meet", 34, 70},
	{0x2b, "ready", 33, 33},
	{0x2e, "lineage", 129, 7185},
}

func frame(typ byte, b ...any) []byte {
	body := cat(b...)
	return cat(typ, u24(len(body)), body)
}

// linkHello is a hello of a node that asks for a link to be kept ready: it takes no slot.
func linkHello(ch stream.ChannelID, flags byte, addrs ...any) []byte {
	return frame(0x10, "\x01", ch[:], flags, u16(0), u32(0), u32(0), "\x00", cat(addrs...))
}

// linkTable is what strangers say over a link once its handshake is over.
func linkTable(ch stream.ChannelID) Table {
	t := Table{Port: Link}
	add := func(name string, want Want, b ...any) {
		t.Inputs = append(t.Inputs, Input{Name: name, Bytes: cat(b...), Want: want})
	}
	add("nothing", Ended)
	add("half a prelude", Ended, "\x10\x00")
	for _, f := range frames {
		add(f.name+" first, of 16 MiB", Refused, f.typ, "\xff\xff\xff", rep(0, 64))
		add(f.name+" first, a byte too long", Refused, f.typ, u24(f.most+1), rep(0, min(f.most+1, 4096)))
		add(f.name+" first, a byte too short", Refused, frame(f.typ, rep(0, f.least-1)))
		add(f.name+" first, of zeros", Refused, frame(f.typ, rep(0, f.least)))
		add(f.name+" first, of ones", Refused, frame(f.typ, rep(255, f.most)))
	}
	for _, typ := range []byte{0x00, 0x06, 0x0f, 0x1d, 0x2c, 0x7f, 0xff} {
		add(fmt.Sprintf("type %#02x, which there is not", typ), Refused, frame(typ, rep(0, 30)))
	}
	t.Inputs = append(t.Inputs, linkHellos(ch)...)
	t.Inputs = append(t.Inputs, linkChildren(ch)...)
	return t
}

func linkHellos(ch stream.ChannelID) []Input {
	var all []Input
	add := func(name string, want Want, b ...any) {
		all = append(all, Input{Name: name, Bytes: cat(b...), Want: want})
	}
	good := linkHello(ch, 1, "\x00")
	other := ch
	other[7] ^= 1
	add("hello, cut", Ended, good[:20])
	add("hello of another channel", Refused, linkHello(other, 1, "\x00"))
	add("hello of version 0", Refused, frame(0x10, "\x00", ch[:], rep(0, 14)))
	add("hello of version 2", Refused, frame(0x10, "\x02", rep(0xaa, 60)))
	add("hello of version 255, and nothing else", Refused, frame(0x10, "\xff"))
	add("hello with flags of no meaning", Refused, linkHello(ch, 0xff, "\x00"))
	add("hello with 5 addresses", Refused, linkHello(ch, 1, "\x05", []byte(strings.Repeat("\x04\x7f\x00\x00\x01\x1b\xe8", 5))))
	add("hello with 255 addresses, none there", Refused, linkHello(ch, 1, "\xff"))
	add("hello with an address cut", Refused, linkHello(ch, 1, "\x01\x04\x7f\x00"))
	add("hello with bytes left over", Refused, linkHello(ch, 1, "\x00more"))
	add("hello of no family", Refused, linkHello(ch, 1, "\x01\x05\x7f\x00\x00\x01\x1b\xe8"))
	for _, a := range [][2]string{
		{"unspecified", "\x04\x00\x00\x00\x00\x1b\xe8"},
		{"multicast", "\x04\xe0\x00\x00\x01\x1b\xe8"},
		{"port 0", "\x04\x7f\x00\x00\x01\x00\x00"},
		{"IPv4 in IPv6", "\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x7f\x00\x00\x01\x1b\xe8"},
		{"multicast v6", "\x06\xff\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x1b\xe8"},
	} {
		add("hello with an address: "+a[0], Refused, linkHello(ch, 1, "\x01", a[1]))
	}
	// What the node may take for a place, and must not dial for a stranger's word: a child that says
	// nothing more is dropped.
	for _, a := range [][2]string{
		{"metadata", "\x04\xa9\xfe\xa9\xfe\x00\x50"},
		{"broadcast", "\x04\xff\xff\xff\xff\x1b\xe8"},
		{"loopback, SSH", "\x04\x7f\x00\x00\x01\x00\x16"},
		{"somebody else", "\x04\xc6\x33\x64\x01\x1b\xe8"},
	} {
		add("hello that names "+a[0]+", and silence", Refused, linkHello(ch, 1, "\x01", a[1]))
	}
	place := rep(0x5a, 112)
	for _, l := range []struct {
		name string
		b    []byte
	}{
		{"of no place", cat(rep(0, 16), "\x00", place)},
		{"of 65 places", cat(rep(0, 16), "\x41", bytes.Repeat(place, 64))},
		{"of two places, of which one is there", cat(rep(0, 16), "\x02", place)},
		{"with half a place left over", cat(rep(0, 16), "\x01", place, place[:56])},
	} {
		add("a lineage "+l.name, Refused, frame(0x2e, l.b))
	}
	add("a lineage, and a survey", Refused, frame(0x2e, rep(0, 16), "\x01", place), frame(0x1b, "\x01", ch[:]))
	add("a lineage, and another", Refused, frame(0x2e, rep(0, 16), "\x01", place), frame(0x2e, rep(0, 16), "\x01", place))
	add("a lineage that nobody has signed, a hello, and silence", Refused, frame(0x2e, rep(0, 16), "\x01", place), linkHello(ch, 1, "\x00"))
	add("a lineage of 64 places that nobody has signed, a hello, and silence", Refused,
		frame(0x2e, rep(0, 16), "\x40", bytes.Repeat(place, 64)), linkHello(ch, 1, "\x00"))
	add("survey of another channel", Refused, frame(0x1b, "\x01", other[:]))
	add("survey of version 9", Refused, frame(0x1b, "\x09", ch[:]))
	add("a survey, and another", Served, frame(0x1b, "\x01", ch[:]), frame(0x1b, "\x01", ch[:]))
	add("an offer of another channel", Refused, frame(0x24, "\x01", other[:]))
	add("an offer that nobody wants", Refused, frame(0x24, "\x01", ch[:]))
	add("an offer with a proof of zeros", Refused, frame(0x24, "\x01", ch[:], rep(0, 32)))
	add("an offer with half a proof", Refused, frame(0x24, "\x01", ch[:], rep(0, 16)))
	add("dialme of another channel", Refused, frame(0x28, "\x01", other[:], u16(7144)))
	add("dialme at port 0", Refused, frame(0x28, "\x01", ch[:], u16(0)))
	add("dialme at a port where nobody listens", Served, frame(0x28, "\x01", ch[:], u16(1)))
	add("bye of a stranger", Refused, frame(0x17, "\x00\x00"))
	add("bye for a reason of no meaning", Refused, frame(0x17, "\xff\x00"))
	return all
}

// linkChildren are what a child says whose hello was taken.
func linkChildren(ch stream.ChannelID) []Input {
	var all []Input
	add := func(name string, want Want, b ...any) {
		all = append(all, Input{Name: "a child: " + name, Bytes: cat(linkHello(ch, 1, "\x00"), cat(b...)), Want: want})
	}
	after := func(name string, b ...any) { add(name, Refused, b...) }
	after("silence")
	after("a second hello", linkHello(ch, 1, "\x00"))
	after("a survey", frame(0x1b, "\x01", ch[:]))
	after("an offer", frame(0x24, "\x01", ch[:]))
	after("rubbish", rep(0xee, 5000))
	after("16 MiB announced", "\x1a\xff\xff\xff")
	add("bye", Served, frame(0x17, "\x02\x00"))
	after("bye with 255 places", frame(0x17, "\x02\xff"))
	after("bye with a place cut", frame(0x17, "\x02\x01", rep(1, 20)))
	for _, f := range frames {
		switch f.name {
		case "chunk", "header", "beat", "gap", "sums", "welcome", "refer", "heartbeat", "path", "backups", "sample", "whole", "probed", "seen", "called", "through", "rooms", "dialled", "lineage":
			after(f.name+", which a parent sends", frame(f.typ, rep(0, f.least)))
		default:
			after(f.name+", a byte too short", frame(f.typ, rep(0, f.least-1)))
			after(f.name+", a byte too long", f.typ, u24(f.most+1), rep(0, 200))
		}
	}
	sums := frame(0x05, "\x01\x00", rep(1, 24), rep(2, 3*32), rep(3, 64))
	after("sums twice", sums, sums)
	after("sums, and a chunk of another epoch", sums, frame(0x01, "\x01\x02", rep(9, 36), rep(3, 65)))
	after("sums of two chunks and a half", frame(0x05, "\x01\x00", rep(1, 24), rep(2, 3*32+16), rep(3, 64)))
	after("sums that cover more than there can be", frame(0x05, "\x01\x00", rep(255, 24), rep(2, 16*32), rep(3, 64)))
	after("pull of an epoch of ones", frame(0x13, rep(255, 24)))
	after("pulls, 1,000 at once", []byte(strings.Repeat(string(frame(0x13, rep(0, 24))), 1000)))
	after("reports, 1,000 at once", []byte(strings.Repeat(string(frame(0x16, rep(0, 32))), 1000)))
	after("facts of no node", frame(0x1a, "\x00\x00", rep(0, 30)))
	after("facts of 4,097 nodes", frame(0x1a, "\x00\x81\x20", rep(0, 30)))
	after("facts with a number that does not end", frame(0x1a, "\x00", rep(0x80, 40)))
	after("facts with a number longer than it must be", frame(0x1a, "\x00\x81\x00", rep(0, 30)))
	after("facts at depth 255", frame(0x1a, "\xff\x01", rep(0, 30)))
	after("facts that skip a level", frame(0x1a, "\x01\x02", rep(1, 8), "\x00\x00", rep(0, 8), rep(2, 8), "\x09\x00", rep(0, 8), rep(0, 6)))
	after("facts of rubbish, of the greatest length", frame(0x1a, rep(255, 152664)))
	after("facts, 50 at once", []byte(strings.Repeat(string(frame(0x1a, "\x01\x01", rep(1, 8), "\x00\x00\x00\x00\x00\x00\x00\x00\x00", rep(0, 6))), 50)))
	after("a truth value of 2", frame(0x26, "\x02", rep(0, 6)))
	after("calls of nobody, 1,000 at once", []byte(strings.Repeat(string(frame(0x22, rep(7, 32))), 1000)))
	after("ready for nobody", frame(0x2b, rep(7, 32), "\x01"))
	after("meet, at this machine", frame(0x2a, rep(7, 32), "\x04\x7f\x00\x00\x01\x00\x16\x04\x7f\x00\x00\x01\x00\x16"))
	return all
}
