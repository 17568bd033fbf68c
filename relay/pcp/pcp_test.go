package pcp_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"relay/relay/pcp"
	"relay/relay/refusal"
	"relay/relay/stream"
)

func id(b byte) (v pcp.ID) {
	for i := range v {
		v[i] = b
	}
	return v
}

// golden is each atom as it goes over the wire, in hexadecimal digits and 'text'.
var golden = map[string]struct {
	atom  []byte
	wire  string
	parse func(pcp.Atom) (any, error)
	want  any
}{
	"connect": {
		pcp.AppendConnect(nil, pcp.Over4), `'pcp' 0a 04000000 01000000`,
		func(a pcp.Atom) (any, error) { return pcp.ParseConnect(a) }, uint32(1),
	},
	"helo": {
		pcp.Helo{Agent: "relay", Version: 1218, Session: id(0xaa), Port: 7144}.Append(nil),
		`'helo' 04000080 'agnt' 06000000 'relay' 00 'ver' 00 04000000 c2040000 'sid' 00 10000000` + strings.Repeat("aa", 16) + `'port' 02000000 e81b`,
		func(a pcp.Atom) (any, error) { return pcp.ParseHelo(a) },
		pcp.Helo{Agent: "relay", Version: 1218, Session: id(0xaa), Port: 7144},
	},
	"helo that asks to be dialled, to an index": {
		pcp.Helo{Agent: "a", Version: 1218, Session: id(1), Ping: 7145, Broadcast: id(2)}.Append(nil),
		`'helo' 05000080 'agnt' 02000000 'a' 00 'ver' 00 04000000 c2040000 'sid' 00 10000000` + strings.Repeat("01", 16) +
			`'ping' 02000000 e91b 'bcid' 10000000` + strings.Repeat("02", 16),
		func(a pcp.Atom) (any, error) { return pcp.ParseHelo(a) },
		pcp.Helo{Agent: "a", Version: 1218, Session: id(1), Ping: 7145, Broadcast: id(2)},
	},
	"oleh": {
		pcp.Oleh{Agent: "b", Session: id(3), Version: 1218, Remote: netip.MustParseAddr("127.0.0.2")}.Append(nil),
		`'oleh' 05000080 'agnt' 02000000 'b' 00 'sid' 00 10000000` + strings.Repeat("03", 16) +
			`'ver' 00 04000000 c2040000 'rip' 00 04000000 0200007f 'port' 02000000 0000`,
		func(a pcp.Atom) (any, error) { return pcp.ParseOleh(a) },
		pcp.Oleh{Agent: "b", Session: id(3), Version: 1218, Remote: netip.MustParseAddr("127.0.0.2")},
	},
	"oleh over IPv6": {
		pcp.Oleh{Agent: "b", Session: id(3), Version: 1218, Remote: netip.MustParseAddr("2001:db8::1"), Port: 1}.Append(nil),
		`'oleh' 05000080 'agnt' 02000000 'b' 00 'sid' 00 10000000` + strings.Repeat("03", 16) +
			`'ver' 00 04000000 c2040000 'rip' 00 10000000 01000000000000000000 0000b80d0120 'port' 02000000 0100`,
		func(a pcp.Atom) (any, error) { return pcp.ParseOleh(a) },
		pcp.Oleh{Agent: "b", Session: id(3), Version: 1218, Remote: netip.MustParseAddr("2001:db8::1"), Port: 1},
	},
	"ok": {pcp.AppendOK(nil), `'ok' 0000 04000000 01000000`, func(a pcp.Atom) (any, error) { return a.Name, nil }, pcp.NameOK},
	"quit": {
		pcp.AppendQuit(nil, pcp.QuitOffAir), `'quit' 04000000 f0030000`,
		func(a pcp.Atom) (any, error) { return pcp.ParseQuit(a) }, pcp.QuitOffAir,
	},
	"chan": {
		pcp.Chan{
			ID: id(4), Broadcast: id(5), Info: &pcp.Info{Name: "é", Bitrate: 800, Type: "FLV", MIME: "video/x-flv", Extension: ".flv"},
			Track: &pcp.Track{Title: "t"}, Packet: &pcp.Packet{Kind: pcp.Head, Data: []byte("FLV")},
		}.Append(nil),
		`'chan' 05000080 'id' 0000 10000000` + strings.Repeat("04", 16) + `'bcid' 10000000` + strings.Repeat("05", 16) +
			`'info' 09000080 'name' 03000000 c3a9 00 'bitr' 04000000 20030000 'gnre' 01000000 00 'url' 00 01000000 00 'desc' 01000000 00 'cmnt' 01000000 00` +
			`'type' 04000000 'FLV' 00 'styp' 0c000000 'video/x-flv' 00 'sext' 05000000 '.flv' 00` +
			`'trck' 04000080 'titl' 02000000 't' 00 'crea' 01000000 00 'url' 00 01000000 00 'albm' 01000000 00` +
			`'pkt' 00 03000080 'type' 04000000 'head' 'pos' 00 04000000 00000000 'data' 03000000 'FLV'`,
		func(a pcp.Atom) (any, error) { return pcp.ParseChan(a) },
		pcp.Chan{
			ID: id(4), Broadcast: id(5), Info: &pcp.Info{Name: "é", Bitrate: 800, Type: "FLV", MIME: "video/x-flv", Extension: ".flv"},
			Track: &pcp.Track{Title: "t"}, Packet: &pcp.Packet{Kind: pcp.Head, Data: []byte("FLV")},
		},
	},
	"data": {
		append(pcp.AppendDataHead(nil, id(6), 0xfffffff0, pcp.Cont, 2), "xy"...),
		`'chan' 02000080 'id' 0000 10000000` + strings.Repeat("06", 16) +
			`'pkt' 00 04000080 'type' 04000000 'data' 'pos' 00 04000000 f0ffffff 'cont' 01000000 01 'data' 02000000 'xy'`,
		func(a pcp.Atom) (any, error) { return pcp.ParseChan(a) },
		pcp.Chan{ID: id(6), Packet: &pcp.Packet{Pos: 0xfffffff0, Cont: 1, Data: []byte("xy")}},
	},
	"bcst with a host": {
		pcp.Bcst{
			Group: pcp.ToTrackers, TTL: 11, From: id(7), Channel: id(8), Version: 1218, Host: &pcp.Host{
				Channel: id(8), Session: id(7), Global: netip.MustParseAddrPort("203.0.113.9:7144"), Local: netip.MustParseAddrPort("10.0.0.1:7144"),
				Listeners: 1, Relays: 2, Uptime: 3, Version: 1218, Flags: pcp.Receiving | pcp.RelayFree, Oldest: 4, Newest: 5,
				Upstream: netip.MustParseAddrPort("203.0.113.1:80"), UpstreamHops: 1,
			},
		}.Append(nil),
		`'bcst' 08000080 'grp' 00 01000000 02 'hops' 01000000 00 'ttl' 00 01000000 0b 'from' 10000000` + strings.Repeat("07", 16) +
			`'vers' 04000000 c2040000 'vrvp' 04000000 1b000000 'cid' 00 10000000` + strings.Repeat("08", 16) +
			`'host' 11000080 'cid' 00 10000000` + strings.Repeat("08", 16) + `'id' 0000 10000000` + strings.Repeat("07", 16) +
			`'ip' 0000 04000000 097100cb 'port' 02000000 e81b 'ip' 0000 04000000 0100000a 'port' 02000000 e81b` +
			`'numl' 04000000 01000000 'numr' 04000000 02000000 'uptm' 04000000 03000000 'ver' 00 04000000 c2040000 'vevp' 04000000 1b000000` +
			`'flg1' 01000000 12 'oldp' 04000000 04000000 'newp' 04000000 05000000` +
			`'upip' 04000000 017100cb 'uppt' 04000000 50000000 'uphp' 04000000 01000000`,
		func(a pcp.Atom) (any, error) {
			m, err := pcp.ParseBcst(a)
			if err != nil || m.Host == nil {
				return nil, err
			}
			return *m.Host, nil
		},
		pcp.Host{
			Channel: id(8), Session: id(7), Global: netip.MustParseAddrPort("203.0.113.9:7144"), Local: netip.MustParseAddrPort("10.0.0.1:7144"),
			Listeners: 1, Relays: 2, Uptime: 3, Version: 1218, Flags: pcp.Receiving | pcp.RelayFree, Oldest: 4, Newest: 5,
			Upstream: netip.MustParseAddrPort("203.0.113.1:80"), UpstreamHops: 1,
		},
	},
}

// bytesOf returns the bytes that are written as in golden.
func bytesOf(t testing.TB, s string) (b []byte) {
	t.Helper()
	for i, part := range strings.Split(s, "'") {
		if i%2 == 1 {
			b = append(b, part...)
			continue
		}
		h, err := hex.DecodeString(strings.ReplaceAll(part, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, h...)
	}
	return b
}

func TestAtomsAreTheseBytes(t *testing.T) {
	for name, g := range golden {
		t.Run(name, func(t *testing.T) {
			if want := bytesOf(t, g.wire); !bytes.Equal(g.atom, want) {
				t.Fatalf("\n%x\n%x", g.atom, want)
			}
			a, err := pcp.NewReader(iotest.OneByteReader(bytes.NewReader(g.atom))).Next()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := g.parse(a); err != nil || !reflect.DeepEqual(got, g.want) {
				t.Errorf("%+v, %v; want %+v", got, err, g.want)
			}
		})
	}
}

func TestARootSaysWhenToAnnounce(t *testing.T) {
	a, err := pcp.NewReader(bytes.NewReader(bytesOf(t, `'root' 03000080 'uint' 04000000 78000000 'upd' 00 00000080 'mesg' 03000000 'hi' 00`))).Next()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := pcp.ParseRoot(a); err != nil || got != (pcp.Root{Every: 2 * time.Minute, Update: true}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// nested is one atom inside the other, the innermost with no data.
func nested(names ...string) string {
	s := "'" + names[len(names)-1] + "' 00000000"
	for i := len(names) - 2; i >= 0; i-- {
		s = "'" + names[i] + "' 01000080" + s
	}
	return s
}

func filled(n int) string { return strings.Repeat("00", n) }

func TestHostileAtomsAreRefusedWithTheirReason(t *testing.T) {
	pkt := `'chan' 01000080 'pkt' 00 02000080 'type' 04000000`
	for name, c := range map[string]struct {
		wire string
		why  refusal.Reason
	}{
		"an atom nobody knows":          {`'evil' 00000000`, pcp.Unknown},
		"an atom of zeros":              {filled(8), pcp.Unknown},
		"HTTP where an atom is due":     {`'GET / HTTP/1.0'`, pcp.Unknown},
		"five levels":                   {nested("bcst", "chan", "info", "name", "abcd"), pcp.Deep},
		"65 children":                   {`'helo' 41000080`, pcp.Kids},
		"2^31-1 children":               {`'helo' ffffffff`, pcp.Kids},
		"2^31-1 children inside":        {`'chan' 01000080 'info' ffffffff`, pcp.Kids},
		"2 GiB":                         {`'helo' ffffff7f`, pcp.Long},
		"16 KiB outside of a packet":    {`'mesg' 00400000`, pcp.Long},
		"16 KiB in several":             {`'helo' 02000080 'aaaa' 00300000` + filled(0x3000) + `'bbbb' 00100000`, pcp.Long},
		"data of more than 20 KiB":      {pkt + `'data' 'data' 01500000`, pcp.Long},
		"a head of more than 64 KiB":    {pkt + `'head' 'data' 01000100`, pcp.Long},
		"data before its type":          {`'chan' 01000080 'pkt' 00 02000080 'data' 00000100`, pcp.Long},
		"a packet in another":           {`'bcst' 01000080 'chan' 01000080 'pkt' 00 01000080 'data' 00500000`, pcp.Long},
		"two data":                      {`'chan' 01000080 'pkt' 00 02000080 'data' 00000000 'data' 00000000`, pcp.Kids},
		"two packets with data":         {`'chan' 02000080 'pkt' 00 01000080 'data' 00000000 'pkt' 00 01000080 'data' 00000000`, pcp.Kids},
		"many children of many":         {`'bcst' 40000080` + strings.Repeat(`'aaaa' 20000080`+strings.Repeat(`'bbbb' 00000000`, 32), 64), pcp.Long},
		"a version of 2 bytes":          {`'helo' 01000080 'ver' 00 02000000 0000`, pcp.Size},
		"a port of 4 bytes":             {`'helo' 01000080 'port' 04000000 00000000`, pcp.Size},
		"a session of 15 bytes":         {`'helo' 01000080 'sid' 00 0f000000` + filled(15), pcp.Size},
		"no session":                    {`'helo' 00000080`, pcp.Missing},
		"a session of zeros":            {`'helo' 01000080 'sid' 00 10000000` + filled(16), pcp.Missing},
		"a helo with data":              {`'helo' 04000000 00000000`, pcp.Size},
		"a text with children":          {`'helo' 01000080 'agnt' 00000080`, pcp.Size},
		"an address of 5 bytes":         {`'oleh' 01000080 'rip' 00 05000000 0000000000`, pcp.Size},
		"a quit of 8 bytes":             {`'quit' 08000000 0000000000000000`, pcp.Size},
		"a quit with children":          {`'quit' 00000080`, pcp.Size},
		"a chan with something unknown": {`'chan' 01000080 'evil' 00000000`, pcp.Unknown},
		"a chan with data":              {`'chan' 04000000 00000000`, pcp.Size},
		"a key of 1 byte":               {`'chan' 01000080 'key' 00 01000000 00`, pcp.Size},
		"an info with data":             {`'chan' 01000080 'info' 00000000`, pcp.Size},
		"a bitrate of 1 byte":           {`'chan' 01000080 'info' 01000080 'bitr' 01000000 00`, pcp.Size},
		"a cont of 4 bytes":             {`'chan' 01000080 'pkt' 00 01000080 'cont' 04000000 00000000`, pcp.Size},
		"data with children":            {`'chan' 01000080 'pkt' 00 01000080 'data' 00000080`, pcp.Size},
		"flags of 4 bytes":              {`'host' 01000080 'flg1' 04000000 00000000`, pcp.Size},
		"a host with data":              {`'host' 00000000`, pcp.Size},
		"a broken host in a bcst":       {`'bcst' 01000080 'host' 01000080 'flg1' 04000000 00000000`, pcp.Size},
		"a broken chan in a bcst":       {`'bcst' 01000080 'chan' 01000080 'evil' 00000000`, pcp.Unknown},
		"a broken push in a bcst":       {`'bcst' 01000080 'push' 01000080 'port' 00000000`, pcp.Size},
		"a broken root in a bcst":       {`'bcst' 01000080 'root' 01000080 'uint' 00000000`, pcp.Size},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(bytesOf(t, c.wire))
			if e, ok := errors.AsType[*pcp.Error](err); !ok || e.Why != c.why {
				t.Errorf("%v, want %s", err, c.why)
			}
		})
	}
}

// parse reads an atom, and what it is by its name.
func parse(b []byte) (any, error) {
	a, err := pcp.NewReader(bytes.NewReader(b)).Next()
	if err != nil {
		return nil, err
	}
	switch a.Name {
	case pcp.NameConnect:
		return pcp.ParseConnect(a)
	case pcp.NameHelo:
		return pcp.ParseHelo(a)
	case pcp.NameOleh:
		return pcp.ParseOleh(a)
	case pcp.NameQuit:
		return pcp.ParseQuit(a)
	case pcp.NameChan:
		return pcp.ParseChan(a)
	case pcp.NameHost:
		return pcp.ParseHost(a)
	case pcp.NameBcst:
		return pcp.ParseBcst(a)
	case pcp.NamePush:
		return pcp.ParsePush(a)
	case pcp.NameRoot:
		return pcp.ParseRoot(a)
	}
	return a.Name, nil
}

func TestAnAtomThatEndsTooSoonIsNoAtom(t *testing.T) {
	for name, g := range golden {
		for n := range g.atom {
			_, err := pcp.NewReader(bytes.NewReader(g.atom[:n])).Next()
			if want := io.ErrUnexpectedEOF; n == 0 && err != io.EOF || n > 0 && err != want {
				t.Fatalf("%s after %d bytes: %v", name, n, err)
			}
		}
	}
}

// TestMemoryIsTakenAsBytesCome: a head that announces what may be sends nothing of it.
func TestMemoryIsTakenAsBytesCome(t *testing.T) {
	announced := bytesOf(t, `'chan' 01000080 'pkt' 00 02000080 'type' 04000000 'head' 'data' 00000100 00`)
	got := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := pcp.NewReader(bytes.NewReader(announced)).Next(); err != io.ErrUnexpectedEOF {
				b.Fatal(err)
			}
		}
	})
	if n := got.AllocedBytesPerOp(); n > 6<<10 {
		t.Errorf("%d bytes for %d that came", n, len(announced))
	}
}

func TestADataPacketIsReadWithoutMemoryOfItsOwn(t *testing.T) {
	one := append(pcp.AppendDataHead(nil, id(1), 1, 0, pcp.MostData), make([]byte, pcp.MostData)...)
	src := bytes.NewReader(one)
	r := pcp.NewReader(src)
	if n := testing.AllocsPerRun(100, func() {
		src.Reset(one)
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
}

func TestTextIsCleanedBothWays(t *testing.T) {
	for in, want := range map[string]string{
		"日本語 ラジオ":                "日本語 ラジオ",
		"a\x1b[31mb":             "a\ufffd[31mb",
		"two\nlines":             "two lines",
		"\xff\xfe":               "\ufffd\ufffd",
		"right\u202eleft":        "right\ufffdleft",
		strings.Repeat("é", 200): strings.Repeat("é", 127),
		strings.Repeat("a", 300): strings.Repeat("a", 255),
	} {
		if got := pcp.Clean(in); got != want || pcp.Clean(got) != got {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
	a, err := parse(bytesOf(t, `'chan' 01000080 'info' 02000080 'name' 09000000 1b '[2Jhey' 0000 'desc' 00000000`))
	if c, ok := a.(pcp.Chan); err != nil || !ok || c.Info.Name != "\ufffd[2Jhey" {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestAddressesThatNobodyDialsAreNone(t *testing.T) {
	for name, wire := range map[string]string{
		"no port":     `'host' 02000080 'ip' 0000 04000000 097100cb 'port' 02000000 0000`,
		"unspecified": `'host' 02000080 'ip' 0000 04000000 00000000 'port' 02000000 e81b`,
		"multicast":   `'host' 02000080 'ip' 0000 04000000 010000e0 'port' 02000000 e81b`,
		"no address":  `'host' 01000080 'port' 02000000 e81b`,
		"port > 2^16": `'host' 02000080 'upip' 04000000 097100cb 'uppt' 04000000 00000100`,
	} {
		h, err := parse(bytesOf(t, wire))
		if err != nil || h.(pcp.Host).Global.IsValid() || h.(pcp.Host).Upstream.IsValid() {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

func TestIDsAreDerivedFromTheChannel(t *testing.T) {
	var c stream.ChannelID
	for i := range c {
		c[i] = byte(i)
	}
	// printf 'relay/1 pcp\0' and the bytes 0 to 31 | sha256sum; the same with 'relay/1 pcp bcid\0'
	if got, want := pcp.ChannelID(c).String(), channelHex; got != want {
		t.Errorf("channel %s, want %s", got, want)
	}
	if got, want := pcp.BroadcastID(c).String(), broadcastHex; got != want {
		t.Errorf("broadcast %s, want %s", got, want)
	}
	if got, err := pcp.ParseID(strings.ToLower(channelHex)); err != nil || got != pcp.ChannelID(c) {
		t.Errorf("%s, %v", got, err)
	}
	for _, s := range []string{"", channelHex[1:], channelHex + "0", "G" + channelHex[1:], strings.Repeat("0", 32)} {
		if id, err := pcp.ParseID(s); err == nil {
			t.Errorf("%q is %s", s, id)
		}
	}
}

func TestPositionsWrap(t *testing.T) {
	for _, c := range []struct {
		seq    uint64
		offset int
		want   uint32
	}{{0, 5, 5}, {1, 0, 16384}, {1 << 18, 7, 7}, {1<<18 - 1, 16383, 0xffffffff}} {
		if got := pcp.Position(c.seq, c.offset); got != c.want {
			t.Errorf("%d and %d: %d, want %d", c.seq, c.offset, got, c.want)
		}
	}
}

const (
	channelHex   = "A7CB8533AD64304077FE61755D9D4EAA"
	broadcastHex = "FBD55433B71E46F4343AFC25362522CB"
)
