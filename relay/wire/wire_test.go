package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"relay/relay/lineage"
	"relay/relay/nameplate"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// maker makes random frames, as long as their bounds allow.
type maker struct{ *rand.Rand }

func newMaker(t *testing.T) maker {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return maker{rand.New(rand.NewPCG(seed, 0))}
}

// fixedMaker makes the same frames in every run.
func fixedMaker() maker { return maker{rand.New(rand.NewPCG(1, 2))} }

func (m maker) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.Uint32())
	}
	return b
}

func (m maker) u16() uint16     { return uint16(m.Uint32()) }
func (m maker) bool() bool      { return m.IntN(2) == 0 }
func (m maker) id32() [32]byte  { return [32]byte(m.bytes(32)) }
func (m maker) port() uint16    { return uint16(1 + m.IntN(65535)) }
func (m maker) ms() tree.Epoch  { return tree.Epoch{Ms: m.Uint64(), Rand: m.Uint64()} }
func (m maker) lbl() tree.Label { return tree.Label{Epoch: m.ms(), E: m.Uint64(), H: m.u16()} }
func (m maker) proof() *[wire.ProofLen]byte {
	if m.bool() {
		return nil
	}
	p := m.id32()
	return &p
}

func (m maker) why() tree.Reason { return tree.Reason(m.Uint32()) }

// addr returns an address that can be dialled.
func (m maker) addr() netip.AddrPort {
	for {
		ip, _ := netip.AddrFromSlice(m.bytes([]int{4, 16}[m.IntN(2)]))
		if !ip.IsUnspecified() && !ip.IsMulticast() && !ip.Is4In6() {
			return netip.AddrPortFrom(ip, m.port())
		}
	}
}

func (m maker) addrs() []netip.AddrPort {
	var as []netip.AddrPort
	for range m.IntN(tree.MaxAddrs + 1) {
		as = append(as, m.addr())
	}
	return as
}

func (m maker) places(most int) []tree.Place {
	var ps []tree.Place
	for range m.IntN(most + 1) {
		ps = append(ps, tree.Place{ID: m.id32(), Addrs: m.addrs()})
	}
	return ps
}

func (m maker) candidates() []tree.Candidate {
	count := func() int { return m.IntN(1<<16) - 1 }
	var cs []tree.Candidate
	for _, p := range m.places(wire.MaxSample) {
		cs = append(cs, tree.Candidate{Place: p, Depth: count(), Free: count(), Slots: count()})
	}
	return cs
}

func (m maker) room() tree.Room { return tree.Room(m.bytes(tree.Classes)) }

func (m maker) seen() netip.AddrPort {
	if m.bool() {
		return netip.AddrPort{}
	}
	return m.addr()
}

func (m maker) chunk(payload int) *stream.Chunk {
	flags := []stream.Flags{0, stream.Tag, stream.Tag | stream.Key, stream.Enc}[m.IntN(4)]
	b := signedFrame(stream.FrameChunk, byte(flags), m.bytes(16+8+8+4+payload+stream.SignatureLen))
	binary.BigEndian.PutUint64(b[22:], 1+m.Uint64N(1<<40))
	binary.BigEndian.PutUint32(b[38:], 1+m.Uint32N(1<<20))
	return must(stream.ParseChunk(b))
}

// chunkAt makes a chunk for a place in the stream.
func (m maker) chunkAt(p stream.Position) *stream.Chunk {
	b := slices.Clone(m.chunk(1 + m.IntN(500)).Frame())
	binary.BigEndian.PutUint64(b[6:], p.Epoch.Ms)
	binary.BigEndian.PutUint64(b[14:], p.Epoch.Rand)
	binary.BigEndian.PutUint64(b[22:], p.Seq)
	return must(stream.ParseChunk(b))
}

func (m maker) header(payload int) *stream.Header {
	b := signedFrame(stream.FrameHeader, 0, m.bytes(16+4+payload+stream.SignatureLen))
	binary.BigEndian.PutUint32(b[22:], 1+m.Uint32N(1<<20))
	return must(stream.ParseHeader(b))
}

func (m maker) beat() *stream.Beat {
	return must(stream.ParseBeat(signedFrame(stream.FrameBeat, 0, m.bytes(16+8+8+stream.SignatureLen))))
}

func (m maker) sums(chunks int) *stream.Sums {
	b := signedFrame(stream.FrameSums, 0, m.bytes(16+8+32*chunks+stream.SignatureLen))
	binary.BigEndian.PutUint64(b[22:], 1+m.Uint64N(1<<40))
	return must(stream.ParseSums(b))
}

// frames returns one frame of every type.
func (m maker) frames() map[string]wire.Frame {
	return map[string]wire.Frame{
		"chunk":  m.chunk(1 + m.IntN(500)),
		"header": m.header(m.IntN(500)),
		"beat":   m.beat(),
		"sums":   m.sums(stream.MinSums + m.IntN(stream.MaxSums-stream.MinSums+1)),
		"gap":    wire.Gap{Missed: m.Uint64()},
		"hello": wire.Hello{Channel: m.id32(), Join: tree.Join{
			Addrs: m.addrs(), Slots: m.u16(), Age: m.Uint32(), Below: m.Uint32(), Within: byte(m.Uint32()), Standby: m.Uint32()%2 == 0, NoCalls: m.Uint32()%2 == 0,
		}},
		"welcome": tree.Welcome{Label: m.lbl(), Lag: m.Uint32(), Path: m.places(tree.MaxPath), Others: m.places(tree.MaxRefer), Seen: m.seen()},
		"refer":   tree.Refer{Reason: m.why(), Places: m.places(tree.MaxRefer)},
		"pull":    tree.Pull{Have: tree.Position{Epoch: m.ms(), Seq: m.Uint64()}},
		"heartbeat": tree.Heartbeat{
			Label: m.lbl(), Orphan: m.bool(), Clock: m.Uint64(), Echo: m.Uint64(), Held: m.Uint64(),
			Lag: m.Uint32(), Best: m.room(), Room: m.room(),
		},
		"path": tree.Path{Path: m.places(tree.MaxPath)},
		"report": tree.Report{
			Sent: m.Uint64(), Slots: m.u16(), Free: m.u16(), Children: m.u16(),
			Below: m.Uint32(), Room: m.room(), Lost: m.Uint64(),
		},
		"backups":  tree.Backups{Places: m.places(tree.MaxBackups)},
		"bye":      tree.Bye{Reason: m.why(), Places: m.places(tree.MaxRefer)},
		"sample":   wire.Sample{Members: m.u16(), Of: m.candidates()},
		"facts":    wire.Facts{View: m.view(1 + m.IntN(20))},
		"survey":   wire.Survey{Channel: m.id32()},
		"whole":    wire.Whole{View: m.view(1 + m.IntN(20))},
		"offer":    wire.Offer{Channel: m.id32(), Proof: m.proof()},
		"seen":     wire.Seen{Addr: m.addr()},
		"call":     wire.Call{Target: m.id32()},
		"called":   wire.Called{Target: m.id32(), Addr: m.seen()},
		"through":  wire.Through{Places: tree.Marks(m.Uint32())},
		"callable": wire.Callable{Is: m.bool(), Room: m.room()},
		"rooms":    wire.Rooms{Best: m.room(), Room: m.room()},
		"openings": wire.Openings{Of: m.openings()},
		"ready":    wire.Ready{Caller: m.id32(), Is: m.bool()},
		"double":   wire.Double{Proof: stream.Double(m.bytes(stream.DoubleLen))},
		"lineage":  wire.Lineage{Epoch: stream.Epoch(m.ms()), Places: m.bytes(lineage.PlaceLen * (1 + m.IntN(64)))},
		"later":    wire.Later{Channel: m.id32(), Beat: m.beat(), At: tree.Place{ID: m.id32(), Addrs: m.addrs()}},
		"prove":    wire.Prove{Proof: m.id32()},
		"entrust":  wire.Entrust{JoinPart: [16]byte(m.bytes(16))},
		"meet":     wire.Meet{Caller: m.id32(), Addr: m.seen(), Listen: m.seen()},
		"probed":   wire.Probed{Addr: m.addr(), Open: m.bool()},
		"about":    m.about(),
		"names":    wire.Names{Of: m.plates()},
		"whois":    wire.WhoIs{Of: m.tags(1 + m.IntN(wire.MaxNames))},
		"audience": wire.Audience{Watching: m.Uint32()},
		"recall":   wire.Recall{After: m.position(), Before: m.position()},
		"kept":     m.kept(),
		"recalled": wire.Recalled{Some: m.bool()},
		"seek":     wire.Seek{Most: uint8(1 + m.IntN(wire.MaxDHTNodes))},
		"dhtnodes": wire.DHTNodes{At: m.dhtNodes()},
		"dialme":   wire.DialMe{Channel: m.id32(), Port: m.port()},
		"dialled":  wire.Dialled{Addr: m.addr(), TCP: wire.Answer(m.IntN(3)), UDP: wire.Answer(m.IntN(3))},
	}
}

func (m maker) dhtNodes() (at []netip.AddrPort) {
	for range m.IntN(wire.MaxDHTNodes + 1) {
		at = append(at, m.addr())
	}
	return at
}

func (m maker) position() stream.Position {
	return stream.Position{Epoch: stream.Epoch(m.ms()), Seq: m.Uint64()}
}

func (m maker) kept() wire.Kept {
	if m.bool() {
		return wire.Kept{Header: m.header(m.IntN(500))}
	}
	return wire.Kept{Chunk: m.chunk(1 + m.IntN(500))}
}

func (m maker) about() *stream.About {
	return must(stream.ParseAbout(signedFrame(stream.FrameAbout, byte(m.IntN(2)), m.bytes(16+8+4+stream.SignatureLen))))
}

func (m maker) plates() (of []nameplate.Plate) {
	for range m.IntN(5) {
		n := m.IntN(nameplate.MaxName + 1)
		b := append(m.bytes(32+8), byte(m.IntN(2)), byte(n))
		p, _, ok := nameplate.Cut(append(b, m.bytes(n+stream.SignatureLen)...))
		if !ok {
			panic("no plate")
		}
		of = append(of, p)
	}
	return of
}

func (m maker) tags(n int) (of []wire.NodeTag) {
	for range n {
		of = append(of, wire.NodeTag(m.bytes(8)))
	}
	return of
}

func (m maker) openings() (of []tree.Opening) {
	for _, p := range m.places(tree.MaxOpenings) {
		of = append(of, tree.Opening{Place: p, Free: uint8(m.IntN(tree.MaxFree + 1)), Down: uint8(m.IntN(tree.MaxPath + 1))})
	}
	return of
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// frameOf puts a prelude before a body.
func frameOf(typ byte, body ...byte) []byte {
	b := make([]byte, stream.PreludeLen, stream.PreludeLen+len(body))
	stream.PutPrelude(b, typ, len(body))
	return append(b, body...)
}

func signedFrame(typ, flags byte, rest []byte) []byte {
	return frameOf(typ, append([]byte{stream.Version, flags}, rest...)...)
}

// row is one row of the table of frames in spec.md.
type row struct {
	typ   byte
	name  string
	sides []wire.Side
	least int
	most  int
}

var allSides = map[string]wire.Side{"parent": wire.Parent, "child": wire.Child, "stranger": wire.Stranger}

// specTable reads the table of frames out of the specification.
func specTable(t testing.TB) []row {
	t.Helper()
	spec, err := os.ReadFile("spec.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	line := regexp.MustCompile(`(?m)^\| (0x..) \| (\w+) \| ([a-z, ]+) \| (\d+) \| (\d+) \|$`)
	for _, m := range line.FindAllStringSubmatch(string(spec), -1) {
		r := row{
			typ: byte(must(strconv.ParseUint(m[1], 0, 8))), name: m[2],
			least: must(strconv.Atoi(m[4])), most: must(strconv.Atoi(m[5])),
		}
		for _, s := range strings.Split(m[3], ", ") {
			r.sides = append(r.sides, allSides[s])
		}
		rows = append(rows, r)
	}
	if n := len(fixedMaker().frames()); len(rows) != n {
		t.Fatalf("the specification has %d frames, these tests know %d", len(rows), n)
	}
	return rows
}

// senders returns who may send each frame.
func senders(t testing.TB) map[string][]wire.Side {
	m := map[string][]wire.Side{}
	for _, r := range specTable(t) {
		m[r.name] = r.sides
	}
	return m
}

func TestEveryFrameSurvivesItsBytes(t *testing.T) {
	m, sides := newMaker(t), senders(t)
	for range 200 {
		for name, f := range m.frames() {
			b := wire.Append([]byte("before"), f)
			b = b[len("before"):]
			got, err := wire.Parse(b)
			if err != nil || !reflect.DeepEqual(got, f) {
				t.Fatalf("%s: %+v, %v; want %+v", name, got, err, f)
			}
			r := wire.NewReader(bytes.NewReader(b), sides[name][0])
			if got, err := r.Next(); err != nil || !reflect.DeepEqual(got, f) {
				t.Fatalf("%s off a link: %+v, %v; want %+v", name, got, err, f)
			}
			if got, err := r.Next(); got != nil || err != io.EOF {
				t.Fatalf("%s: %+v, %v after the last frame", name, got, err)
			}
		}
	}
}

func TestEveryTruncationFailsCleanly(t *testing.T) {
	m, sides := newMaker(t), senders(t)
	for name, f := range m.frames() {
		b := wire.Append(nil, f)
		for n := range b {
			if f, err := wire.Parse(b[:n]); f != nil || !errors.Is(err, wire.ErrFrame) {
				t.Fatalf("%s cut to %d of %d bytes: %v, %v", name, n, len(b), f, err)
			}
			want := io.ErrUnexpectedEOF
			if n == 0 {
				want = io.EOF
			}
			if f, err := wire.NewReader(bytes.NewReader(b[:n]), sides[name][0]).Next(); f != nil || err != want {
				t.Fatalf("link ends at %d of %d bytes of %s: %v, %v", n, len(b), name, f, err)
			}
		}
	}
}

func TestBodyWithBytesMissingOrLeftOverIsRefused(t *testing.T) {
	m := newMaker(t)
	for name, f := range m.frames() {
		b := wire.Append(nil, f)
		typ, body := b[0], b[stream.PreludeLen:]
		for n := range len(body) + 2 {
			if n == len(body) {
				continue
			}
			cut := frameOf(typ, append(slices.Clone(body), 0)[:n]...)
			got, err := wire.Parse(cut)
			switch {
			case name == "offer" && n == 33: // the proof may be missing
			case err == nil && name != "chunk" && name != "header" && name != "sums": // whose payload, or list, ends with the body
				t.Fatalf("%s of %d bytes was taken with %d: %+v", name, len(body), n, got)
			case err == nil && !bytes.Equal(wire.Append(nil, got), cut):
				t.Fatalf("%s with %d bytes became another frame", name, n)
			case err != nil && (got != nil || !errors.Is(err, wire.ErrFrame) && !errors.Is(err, stream.ErrFrame)):
				t.Fatalf("%s with %d bytes: %v, %v", name, n, got, err)
			}
		}
	}
}

// A reader judges type, side and length before a body comes. So what it says to a prelude
// alone is compared with the specification's table.
func TestReaderKeepsToTheSpecifiedTable(t *testing.T) {
	hear := func(typ byte, n int, side wire.Side) error {
		b := make([]byte, stream.PreludeLen)
		stream.PutPrelude(b, typ, n)
		f, err := wire.NewReader(bytes.NewReader(b), side).Next()
		if f != nil {
			t.Fatalf("frame %+v out of a prelude alone", f)
		}
		return err
	}
	known := map[byte]bool{}
	for _, r := range specTable(t) {
		known[r.typ] = true
		for name, side := range allSides {
			if !slices.Contains(r.sides, side) {
				if err := hear(r.typ, r.least, side); !errors.Is(err, wire.ErrNotDue) || !strings.Contains(err.Error(), r.name) {
					t.Errorf("%s from a %s: %v", r.name, name, err)
				}
				continue
			}
			for n, want := range map[int]error{
				0: wire.ErrFrame, r.least - 1: wire.ErrFrame, r.most + 1: wire.ErrFrame, 1<<24 - 1: wire.ErrFrame,
				r.least: io.ErrUnexpectedEOF, r.most: io.ErrUnexpectedEOF,
			} {
				if err := hear(r.typ, n, side); !errors.Is(err, want) {
					t.Errorf("%s of %d bytes from a %s: %v, want %v", r.name, n, name, err, want)
				}
			}
		}
	}
	for typ := range 256 {
		if err := hear(byte(typ), 8, wire.Parent|wire.Child|wire.Stranger); !known[byte(typ)] && !errors.Is(err, wire.ErrFrame) {
			t.Errorf("type %#02x, which is not in the table: %v", typ, err)
		}
	}
}

func TestStrangerBecomesAChild(t *testing.T) {
	b := wire.Append(nil, wire.Hello{})
	b = wire.Append(b, tree.Pull{})
	b = wire.Append(b, wire.Hello{})
	r := wire.NewReader(bytes.NewReader(b), wire.Stranger)
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	r.Expect(wire.Child)
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if f, err := r.Next(); f != nil || !errors.Is(err, wire.ErrNotDue) {
		t.Fatalf("second hello: %v, %v", f, err)
	}
}

func TestAnotherVersionIsDistinguishedFromNonsense(t *testing.T) {
	for typ, first := range map[byte]wire.Frame{0x10: wire.Hello{Join: tree.Join{Addrs: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:80")}}}, 0x1b: wire.Survey{}} {
		body := wire.Append(nil, first)[stream.PreludeLen:]
		for _, v := range []byte{0, wire.Version + 1, 255} {
			body[0] = v
			for n := 1; n <= len(body); n++ {
				if f, err := wire.Parse(frameOf(typ, body[:n]...)); f != nil || !errors.Is(err, wire.ErrVersion) {
					t.Errorf("%T of version %d, %d bytes: %v, %v", first, v, n, f, err)
				}
			}
		}
	}
	chunk := slices.Clone(fixedMaker().chunk(1).Frame())
	chunk[stream.PreludeLen] = stream.Version + 1
	if f, err := wire.Parse(chunk); f != nil || !errors.Is(err, stream.ErrVersion) {
		t.Errorf("chunk of another version: %v, %v", f, err)
	}
}

func TestListsHaveBounds(t *testing.T) {
	addrs := func(n int) []byte { return append([]byte{byte(n)}, bytes.Repeat([]byte{4, 192, 0, 2, 1, 0, 80}, n)...) }
	places := func(n int) []byte { return append([]byte{byte(n)}, make([]byte, n*33)...) }
	label := make([]byte, 26)
	lag := make([]byte, 4)
	join := slices.Concat([]byte{wire.Version}, make([]byte, 44))
	id := make([]byte, 32)
	for _, c := range []struct {
		name string
		most int
		typ  byte
		body func(n int) []byte
	}{
		{"hello's addresses", tree.MaxAddrs, 0x10, func(n int) []byte { return slices.Concat(join, addrs(n)) }},
		{"welcome's path", tree.MaxPath, 0x11, func(n int) []byte { return slices.Concat(label, lag, places(n), places(0), []byte{0}) }},
		{"welcome's others", tree.MaxRefer, 0x11, func(n int) []byte { return slices.Concat(label, lag, places(0), places(n), []byte{0}) }},
		{"refer's places", tree.MaxRefer, 0x12, func(n int) []byte { return slices.Concat([]byte{3}, places(n)) }},
		{"path", tree.MaxPath, 0x15, places},
		{"a place's addresses", tree.MaxAddrs, 0x15, func(n int) []byte { return slices.Concat([]byte{1}, id, addrs(n)) }},
		{"backups", tree.MaxBackups, 0x18, places},
		{"sample", wire.MaxSample, 0x19, func(n int) []byte { return append([]byte{1, 2, byte(n)}, make([]byte, n*39)...) }},
		{"lineage's places", lineage.MaxDepth + 1, 0x2e, func(n int) []byte {
			return slices.Concat(make([]byte, 16), []byte{byte(n)}, make([]byte, n*lineage.PlaceLen))
		}},
		{"bye's places", tree.MaxRefer, 0x17, func(n int) []byte { return slices.Concat([]byte{3}, places(n)) }},
	} {
		full := frameOf(c.typ, c.body(c.most)...)
		f, err := wire.Parse(full)
		if err != nil {
			t.Errorf("%s, %d: %v", c.name, c.most, err)
		} else if !bytes.Equal(wire.Append(nil, f), full) {
			t.Errorf("%s, %d: not the same when sent on", c.name, c.most)
		}
		for _, n := range []int{c.most + 1, 255} {
			if f, err := wire.Parse(frameOf(c.typ, c.body(n)...)); f != nil || !errors.Is(err, wire.ErrFrame) {
				t.Errorf("%s, %d: %v, %v", c.name, n, f, err)
			}
		}
	}
}

func TestSenderCutsListsAtTheirBounds(t *testing.T) {
	addr := netip.MustParseAddrPort("[2001:db8::1]:7144")
	many := make([]tree.Place, 300)
	for i := range many {
		many[i].Addrs = slices.Repeat([]netip.AddrPort{addr}, 300)
	}
	cut := func(n int) []tree.Place {
		ps := slices.Clone(many[:n])
		for i := range ps {
			ps[i].Addrs = ps[i].Addrs[:tree.MaxAddrs]
		}
		return ps
	}
	for _, c := range []struct{ sent, want wire.Frame }{
		{
			tree.Welcome{Path: many, Others: many, Seen: addr},
			tree.Welcome{Path: cut(tree.MaxPath), Others: cut(tree.MaxRefer), Seen: addr},
		},
		{tree.Path{Path: many}, tree.Path{Path: cut(tree.MaxPath)}},
		{tree.Refer{Places: many}, tree.Refer{Places: cut(tree.MaxRefer)}},
		{
			wire.Sample{Of: slices.Repeat([]tree.Candidate{{Place: many[0], Depth: -7, Free: 1 << 20}}, 300)},
			wire.Sample{Of: slices.Repeat([]tree.Candidate{{Place: cut(1)[0], Depth: -1, Free: -1}}, wire.MaxSample)},
		},
		{tree.Bye{Places: many}, tree.Bye{Places: cut(tree.MaxRefer)}},
		{wire.Hello{Join: tree.Join{Addrs: many[0].Addrs}}, wire.Hello{Join: tree.Join{Addrs: many[0].Addrs[:tree.MaxAddrs]}}},
	} {
		if got, err := wire.Parse(wire.Append(nil, c.sent)); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%T: %v", c.sent, err)
		}
	}
}

func TestImpossibleValuesAreRefused(t *testing.T) {
	hello := func(addr ...byte) []byte {
		return frameOf(0x10, slices.Concat([]byte{wire.Version}, make([]byte, 44), []byte{1}, addr)...)
	}
	v6 := func(addr string, port ...byte) []byte {
		ip := netip.MustParseAddr(addr).As16()
		return hello(slices.Concat([]byte{6}, ip[:], port)...)
	}
	line := func(says, places int) []byte {
		return frameOf(0x2e, slices.Concat(make([]byte, 16), []byte{byte(says)}, make([]byte, places*lineage.PlaceLen))...)
	}
	dialled := wire.Append(nil, wire.Dialled{Addr: netip.MustParseAddrPort("192.0.2.1:80"), TCP: wire.Nothing, UDP: wire.Answered})
	dialled[len(dialled)-1]++
	heartbeat := wire.Append(nil, tree.Heartbeat{Orphan: true})
	heartbeat[stream.PreludeLen+26] = 2
	for name, b := range map[string][]byte{
		"no address in a list":       hello(0),
		"family 5":                   hello(5, 1, 2, 3, 4, 0, 80),
		"unspecified IPv4":           hello(4, 0, 0, 0, 0, 0, 80),
		"multicast IPv4":             hello(4, 224, 0, 0, 1, 0, 80),
		"port 0":                     hello(4, 192, 0, 2, 1, 0, 0),
		"unspecified IPv6":           v6("::", 0, 80),
		"multicast IPv6":             v6("ff02::1", 0, 80),
		"IPv4 inside IPv6":           v6("::ffff:192.0.2.1", 0, 80),
		"port 0 of IPv6":             v6("2001:db8::1", 0, 0),
		"neither orphan nor not":     heartbeat,
		"lineage of nobody":          line(0, 1),
		"lineage beyond the deepest": line(lineage.MaxDepth+2, lineage.MaxDepth+1),
		"lineage that ends too soon": line(3, 2),
		"an answer that is none":     dialled,
		"welcome's address of no IP": frameOf(0x11, append(make([]byte, 28), 7)...),
	} {
		if f, err := wire.Parse(b); f != nil || !errors.Is(err, wire.ErrFrame) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

// Gossip and discovery carry addresses in the format of frames, and what stands behind them.
func TestAddressesOutsideOfFramesKeepTheSameRules(t *testing.T) {
	good := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:80"), netip.MustParseAddrPort("[2001:db8::1]:7144")}
	bad := []netip.AddrPort{
		{},
		netip.MustParseAddrPort("0.0.0.0:80"), netip.MustParseAddrPort("224.0.0.1:80"), netip.MustParseAddrPort("192.0.2.1:0"),
		netip.MustParseAddrPort("[::]:80"), netip.MustParseAddrPort("[ff02::1]:80"),
	}
	for _, a := range append(bad, netip.MustParseAddrPort("[fe80::1%eth0]:80"), netip.MustParseAddrPort("[::ffff:192.0.2.1]:80")) {
		if wire.Dialable(a) {
			t.Errorf("%v counts as an address that can be dialled", a)
		}
	}
	for _, a := range good {
		if !wire.Dialable(a) {
			t.Errorf("%v counts as none that can be dialled", a)
		}
	}
	b := append(wire.AppendAddrs(nil, append(bad, good...)), "rest"...)
	if as, rest, err := wire.ParseAddrs(b); err != nil || !slices.Equal(as, good) || string(rest) != "rest" {
		t.Errorf("%v, %q, %v", as, rest, err)
	}
	for n := range len(b) - len("rest") {
		if as, rest, err := wire.ParseAddrs(b[:n]); !errors.Is(err, wire.ErrFrame) || len(rest) > 0 {
			t.Errorf("%d bytes of it: %v, %q, %v", n, as, rest, err)
		}
	}
	many := slices.Repeat(good[:1], 300)
	if as, _, err := wire.ParseAddrs(wire.AppendAddrs(nil, many)); err != nil || len(as) != tree.MaxAddrs {
		t.Errorf("%d addresses of %d, %v", len(as), len(many), err)
	}
	if _, rest, err := wire.ParseAddrs(append([]byte{tree.MaxAddrs + 1}, bytes.Repeat([]byte{4, 192, 0, 2, 1, 0, 80}, tree.MaxAddrs+1)...)); !errors.Is(err, wire.ErrFrame) || len(rest) > 0 {
		t.Errorf("more addresses than there may be: %d bytes left, %v", len(rest), err)
	}
}

// A lent chunk is in the same memory as the one before; what is kept is not.
func TestOnlyChunksAreLent(t *testing.T) {
	m := newMaker(t)
	first, h, second := m.chunkAt(stream.Position{Seq: 1}), m.header(300), m.chunkAt(stream.Position{Seq: 2})
	in := wire.NewReader(bytes.NewReader(slices.Concat(first.Frame(), h.Frame(), second.Frame())), wire.Parent).Lend()
	next := func() wire.Frame {
		t.Helper()
		f, err := in.Next()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	lent := next().(*stream.Chunk)
	if !bytes.Equal(lent.Frame(), first.Frame()) {
		t.Error("the first chunk is another")
	}
	kept := next().(*stream.Header)
	again := next().(*stream.Chunk)
	if !bytes.Equal(again.Frame(), second.Frame()) || !bytes.Equal(kept.Frame(), h.Frame()) {
		t.Error("what follows a chunk is another")
	}
	if &lent.Frame()[0] != &again.Frame()[0] {
		t.Error("the second chunk has memory of its own")
	}
}

func TestAppendPanicsOnWhatIsNoFrame(t *testing.T) {
	defer func() {
		if r := recover(); !strings.Contains(fmt.Sprint(r), "tree.Joined is no frame") {
			t.Errorf("panic %v", r)
		}
	}()
	wire.Append(nil, tree.Joined{})
}

// allocated returns the bytes that one call of f allocates.
func allocated(f func()) int {
	const times = 50
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		f()
	}
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc-before.TotalAlloc) / times
}

// small bounds what a frame costs besides its bytes: the reader and the error.
const small = 2 << 10

func TestLengthThatIsNeverSentCostsOneStep(t *testing.T) {
	const step = 16 << 10
	for _, r := range specTable(t) {
		prelude := make([]byte, stream.PreludeLen)
		stream.PutPrelude(prelude, r.typ, r.most)
		got := allocated(func() {
			if _, err := wire.NewReader(bytes.NewReader(prelude), r.sides[0]).Next(); err != io.ErrUnexpectedEOF {
				t.Fatalf("%s: %v", r.name, err)
			}
		})
		if got > step+small {
			t.Errorf("%s of %d bytes, none sent: %d bytes allocated", r.name, r.most, got)
		}
	}
}

func TestMemoryGrowsWithWhatHasCome(t *testing.T) {
	whole := fixedMaker().header(stream.MaxHeaderPayload).Frame()
	for sent := 16 << 10; sent < len(whole); sent += 5 << 10 {
		got := allocated(func() {
			if _, err := wire.NewReader(bytes.NewReader(whole[:sent]), wire.Parent).Next(); err != io.ErrUnexpectedEOF {
				t.Fatal(err)
			}
		})
		if got > 4*sent+small {
			t.Errorf("%d of %d bytes sent: %d allocated", sent, len(whole), got)
		}
	}
}

func TestLargestFramesPass(t *testing.T) {
	m := newMaker(t)
	for _, f := range []wire.Frame{m.chunk(stream.MaxPayload), m.header(stream.MaxHeaderPayload)} {
		got, err := wire.NewReader(bytes.NewReader(wire.Append(nil, f)), wire.Parent).Next()
		if err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("%T: %v", f, err)
		}
	}
}

func TestHowBytesArriveDoesNotMatter(t *testing.T) {
	m, sides := newMaker(t), senders(t)
	var b []byte
	var want []wire.Frame
	add := func(f wire.Frame) { b, want = wire.Append(b, f), append(want, f) }
	for range 10 {
		for name, f := range m.frames() {
			if slices.Contains(sides[name], wire.Parent) {
				add(f)
			}
			if s, ok := f.(*stream.Sums); ok {
				add(m.chunkAt(s.First()))
			}
		}
	}
	add(m.header(40_000)) // longer than a step
	for name, r := range map[string]io.Reader{
		"at once":            bytes.NewReader(b),
		"one byte at a time": iotest.OneByteReader(bytes.NewReader(b)),
		"half of each":       iotest.HalfReader(bytes.NewReader(b)),
		"end with the last":  iotest.DataErrReader(bytes.NewReader(b)),
	} {
		in := wire.NewReader(r, wire.Parent)
		for i, w := range want {
			if got, err := in.Next(); err != nil || !reflect.DeepEqual(got, w) {
				t.Fatalf("%s: frame %d is %+v, %v; want %+v", name, i, got, err, w)
			}
		}
		if f, err := in.Next(); f != nil || err != io.EOF {
			t.Fatalf("%s: %v, %v after the last frame", name, f, err)
		}
	}
}

// Sums are good for what follows, and for nothing else.
func TestSumsHaveToBeFollowedByAChunkThatTheyCover(t *testing.T) {
	m := newMaker(t)
	s := m.sums(4)
	at := func(n uint64) *stream.Chunk {
		return m.chunkAt(stream.Position{Epoch: s.First().Epoch, Seq: s.First().Seq + n})
	}
	another := s.First()
	another.Epoch.Rand++
	for name, c := range map[string]struct {
		next wire.Frame
		is   bool
	}{
		"the first":                 {at(0), true},
		"the last":                  {at(3), true},
		"one beyond":                {at(4), false},
		"another epoch's":           {m.chunkAt(another), false},
		"the same sums once more":   {s, false},
		"a header":                  {m.header(10), false},
		"a beat":                    {m.beat(), false},
		"a frame of the tree":       {tree.Path{}, false},
		"one of no interest at all": {wire.Gap{}, false},
	} {
		r := wire.NewReader(bytes.NewReader(wire.Append(wire.Append(s.Frame()[:len(s.Frame()):len(s.Frame())], c.next), at(1))), wire.Parent)
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		if f, err := r.Next(); (err == nil) != c.is || !c.is && (f != nil || !errors.Is(err, wire.ErrNotDue)) {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
}

func TestTheConnectionsErrorIsReturned(t *testing.T) {
	broken := errors.New("broken")
	b := wire.Append(nil, wire.Gap{})
	for n := range b {
		r := io.MultiReader(bytes.NewReader(b[:n]), iotest.ErrReader(broken))
		if f, err := wire.NewReader(r, wire.Parent).Next(); f != nil || !errors.Is(err, broken) {
			t.Errorf("connection breaks after %d bytes: %v, %v", n, f, err)
		}
	}
}

func TestManyTinyFramesPass(t *testing.T) {
	const n = 100_000
	var b []byte
	for i := range uint64(n) {
		b = wire.Append(b, wire.Gap{Missed: i})
	}
	r := wire.NewReader(bytes.NewReader(b), wire.Parent)
	for i := range uint64(n) {
		if f, err := r.Next(); err != nil || f != (wire.Gap{Missed: i}) {
			t.Fatalf("frame %d: %v, %v", i, f, err)
		}
	}
	if f, err := r.Next(); f != nil || err != io.EOF {
		t.Fatalf("%v, %v after the last frame", f, err)
	}
}
