package membership

import (
	"bytes"
	"compress/lzw"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-msgpack/v2/codec"

	"relay/relay/stream"
	"relay/tree"
)

// message writes a message as memberlist does.
func message(kind byte, v any) []byte {
	var b bytes.Buffer
	b.WriteByte(kind)
	if err := codec.NewEncoder(&b, &codec.MsgpackHandle{}).Encode(v); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func compound(parts ...[]byte) []byte {
	b := []byte{msgCompound, byte(len(parts))}
	for _, p := range parts {
		b = binary.BigEndian.AppendUint16(b, uint16(len(p)))
	}
	return append(b, slices.Concat(parts...)...)
}

func withCRC(b []byte) []byte { return append([]byte{msgCRC, 1, 2, 3, 4}, b...) }

// compressed is a message of memberlist's that unpacks to n bytes.
func compressed(n int) []byte {
	var b bytes.Buffer
	w := lzw.NewWriter(&b, lzw.LSB, 8)
	_, _ = w.Write(make([]byte, n)) // to memory
	w.Close()
	return message(9, struct {
		Algo byte
		Buf  []byte
	}{0, b.Bytes()})
}

type alive struct {
	Incarnation uint32
	Node        string
	Addr        []byte
	Port        uint16
	Meta        []byte
	Vsn         []uint8
}

type ping struct {
	SeqNo uint32
	Node  string
}

func someAlive() []byte {
	return message(msgAlive, alive{7, "node", []byte{10, 0, 0, 1}, 7144, make([]byte, 196), []byte{1, 5, 2, 0, 0, 0}})
}

// raw is a message of one field whose value is given.
func raw(kind byte, value ...byte) []byte {
	return append([]byte{kind, 0x81, 0xa4, 'N', 'o', 'd', 'e'}, value...)
}

func TestHonestPacketsPass(t *testing.T) {
	for name, b := range map[string][]byte{
		"ping":             message(msgPing, ping{300, "node"}),
		"alive":            someAlive(),
		"compound":         compound(message(msgPing, ping{1 << 30, "node"}), someAlive(), someAlive()),
		"compound and CRC": withCRC(compound(someAlive(), someAlive())),
		"CRC":              withCRC(someAlive()),
		"indirect ping": message(msgIndirectPing, struct {
			SeqNo  uint32
			Target []byte
			Nack   bool
		}{1, []byte{1, 2, 3, 4}, true}),
	} {
		if err := vetPacket(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHostilePacketsAreRefused(t *testing.T) {
	huge := []byte{0xff, 0xff, 0xff, 0xff}
	deep := someAlive()
	for range 100 {
		deep = compound(deep)
	}
	for name, b := range map[string][]byte{
		"nothing":                      nil,
		"compressed":                   compressed(100),
		"compressed, CRC":              withCRC(compressed(100)),
		"compressed in a compound":     compound(someAlive(), compressed(100)),
		"compressed in compound, CRC":  withCRC(compound(compressed(100))),
		"compound in a compound":       compound(compound(someAlive())),
		"a hundred compounds deep":     deep,
		"CRC in a CRC":                 withCRC(withCRC(someAlive())),
		"CRC in a compound":            compound(withCRC(someAlive())),
		"encrypted":                    {10, 1, 2, 3, 4, 5, 6},
		"user message":                 message(8, ping{}),
		"push/pull":                    message(msgPushPull, ping{}),
		"error":                        message(msgErr, ping{}),
		"label":                        {244, 3, 1, 2, 3},
		"compound of no length":        {msgCompound},
		"compound cut in its lengths":  {msgCompound, 200, 0, 1},
		"compound cut in a part":       {msgCompound, 1, 0, 9, 1},
		"compound with bytes left":     append(compound(someAlive()), 0),
		"empty part":                   compound(nil),
		"message with bytes left":      append(someAlive(), 0),
		"message cut":                  someAlive()[:60],
		"no map":                       {msgPing, 0x01},
		"list":                         {msgPing, 0x91, 0x01},
		"too long":                     append(someAlive(), make([]byte, MaxPacket)...),
		"4 GiB string":                 raw(msgPing, append([]byte{0xdb}, huge...)...),
		"4 GiB bytes":                  raw(msgPing, append([]byte{0xc6}, huge...)...),
		"4 GiB extension":              raw(msgPing, append([]byte{0xc9}, huge...)...),
		"4 GiB list":                   raw(msgPing, append([]byte{0xdd}, huge...)...),
		"4 GiB map":                    raw(msgPing, append([]byte{0xdf}, huge...)...),
		"map in a map":                 raw(msgPing, 0x81, 0xa1, 'a', 1),
		"list in a map":                raw(msgPing, 0x91, 1),
		"fraction":                     raw(msgPing, 0xcb, 1, 2, 3, 4, 5, 6, 7, 8),
		"fixed extension":              raw(msgPing, 0xd4, 1, 2),
		"513 bytes":                    raw(msgPing, append([]byte{0xc5, 2, 1}, make([]byte, 513)...)...),
		"65535 fields":                 {msgPing, 0xde, 0xff, 0xff},
		"2^32 fields":                  append([]byte{msgPing, 0xdf}, huge...),
		"name that is a number":        {msgPing, 0x81, 0x01, 0x01},
		"name written in another way":  {msgPing, 0x81, 0xd9, 0x04, 'N', 'o', 'd', 'e', 0x01},
		"name longer than there is":    {msgPing, 0x81, 0xbf, 'N'},
		"string longer than there is":  raw(msgPing, 0xa9, 'N'),
		"announced fields do not come": {msgPing, 0x8f, 0xa1, 'a', 1},
	} {
		if err := vetPacket(b); !errors.Is(err, errVet) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// states writes a push/pull that announces n nodes and tells of some.
func states(announced, told any, userState int) []byte {
	b := message(msgPushPull, map[string]any{"Nodes": announced, "UserStateLen": userState, "Join": true})
	n, _ := told.(int)
	for range n {
		b = append(b, someAlive()[1:]...)
	}
	return b
}

func TestHonestStreamsPassAndHostileOnesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		b  []byte
		ok bool
	}{
		"ping":                         {message(msgPing, ping{1, "n"}), true},
		"ack":                          {message(msgAck, ping{1, "n"}), true},
		"error":                        {message(msgErr, struct{ Error string }{"why"}), true},
		"no nodes":                     {states(0, 0, 0), true},
		"nodes":                        {states(100, 100, 0), true},
		"500 nodes":                    {states(500, 500, 0), true},
		"as many as may be":            {states(1500, 1500, 0), true},
		"compressed":                   {compressed(100), false},
		"encrypted":                    {[]byte{10, 0xff, 0xff, 0xff, 0xff}, false},
		"user message":                 {message(8, struct{ UserMsgLen int }{20 << 20}), false},
		"gossip":                       {someAlive(), false},
		"too many nodes announced":     {states(maxStates+1, 0, 0), false},
		"a million nodes announced":    {states(1<<20, 0, 0), false},
		"a negative number of nodes":   {states(-5, 0, 0), false},
		"more than any number":         {states(uint64(1<<63+5), 0, 0), false},
		"user state":                   {states(0, 0, 20<<20), false},
		"longer than may be":           {states(maxStates, maxStates, 0), false},
		"a number of nodes given thee": {append([]byte{msgPushPull, 0x83}, slices.Concat([]byte("\xa5Nodes\x01"), []byte("\xa5Nodes\xcd\xff\xff"), []byte("\xa4Join\xc3"))...), false},
	} {
		got, err := vetStream(bytes.NewReader(append(slices.Clone(c.b), "what follows"...)))
		switch {
		case c.ok && (err != nil || !bytes.Equal(got, c.b)):
			t.Errorf("%s: %d of %d bytes, %v", name, len(got), len(c.b), err)
		case !c.ok && !errors.Is(err, errVet):
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAStreamThatEndsEarlyIsRefused(t *testing.T) {
	b := states(3, 3, 0)
	for n := range b {
		if _, err := vetStream(bytes.NewReader(b[:n])); err != io.EOF && err != io.ErrUnexpectedEOF {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(b), err)
		}
	}
}

// What a hostile packet may cost is bounded: the library would unpack 128 MiB from the
// first of these, and allocate 4 GiB for the second.
func TestHostileBytesCostLittle(t *testing.T) {
	for name, b := range map[string][]byte{
		"compressed":      compressed(16 << 20)[:MaxPacket],
		"4 GiB extension": raw(msgPing, 0xc9, 0xff, 0xff, 0xff, 0xff, 1),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 1000 {
			if vetPacket(b) == nil {
				t.Fatalf("%s passed", name)
			}
		}
		runtime.ReadMemStats(&after)
		if n := (after.TotalAlloc - before.TotalAlloc) / 1000; n > 4096 {
			t.Errorf("%s: %d bytes were allocated for it", name, n)
		}
	}
}

func FuzzVetPacket(f *testing.F) {
	f.Add(compound(someAlive(), message(msgPing, ping{1, "n"})))
	f.Add(withCRC(someAlive()))
	f.Add(raw(msgPing, 0xc9, 0xff, 0xff, 0xff, 0xff, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		if vetPacket(b) != nil {
			return
		}
		if b[0] == msgCRC {
			b = b[5:]
		}
		if b[0] == msgCompound {
			return
		}
		var into alive // what passes can be decoded without surprises
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_ = codec.NewDecoder(bytes.NewReader(b[1:]), &codec.MsgpackHandle{}).Decode(&into)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Fatalf("%d bytes allocated for %x", n, b)
		}
	})
}

func testKey(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

func someMeta() meta {
	id, _ := tree.ParseID(tree.ID{}.String())
	return meta{told: 5, Member: Member{
		Place: tree.Place{ID: id, Addrs: []netip.AddrPort{
			netip.MustParseAddrPort("192.0.2.1:7144"), netip.MustParseAddrPort("[2001:db8::1]:7144"),
		}},
		Depth: 3, Free: 2, Slots: 4, Born: time.UnixMilli(1234567890123),
	}}
}

func TestMetadataSurvivesItsBytes(t *testing.T) {
	ch := stream.ChannelID{9}
	want := someMeta()
	b := want.sign(testKey(1), ch)
	got, err := verifyMeta(b, ch)
	if err != nil {
		t.Fatal(err)
	}
	if got.Place.ID.IsZero() || !slices.Equal(got.Place.Addrs, want.Place.Addrs) || got.told != 5 ||
		got.Depth != 3 || got.Free != 2 || got.Slots != 4 || !got.Born.Equal(want.Born) {
		t.Errorf("%+v, want %+v", got, want)
	}
	want.Place.Addrs = slices.Repeat(want.Place.Addrs[1:], tree.MaxAddrs)
	if n := len(want.sign(testKey(1), ch)); n > metaMax {
		t.Errorf("%d bytes of metadata, memberlist takes %d", n, metaMax)
	}
}

func TestMetadataThatDiffersFromWhatWasSignedIsRefused(t *testing.T) {
	ch := stream.ChannelID{9}
	b := someMeta().sign(testKey(1), ch)
	for i := range b {
		bad := slices.Clone(b)
		bad[i] ^= 1
		if _, err := verifyMeta(bad, ch); err == nil {
			t.Fatalf("byte %d changed, and it passes", i)
		}
	}
	if _, err := verifyMeta(b, stream.ChannelID{8}); err == nil {
		t.Error("metadata of another channel passes")
	}
	for n := range b {
		if _, err := verifyMeta(b[:n], ch); err == nil {
			t.Fatalf("%d of %d bytes pass", n, len(b))
		}
	}
	if _, err := verifyMeta(append(b, make([]byte, metaMax)...), ch); !errors.Is(err, errMeta) {
		t.Errorf("too long: %v", err)
	}
	none := someMeta()
	none.Place.Addrs = nil
	if _, err := verifyMeta(none.sign(testKey(1), ch), ch); !errors.Is(err, errMeta) {
		t.Errorf("no address: %v", err)
	}
}
