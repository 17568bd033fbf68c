package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"

	"relay/relay/lineage"
	"relay/relay/nameplate"
	"relay/relay/seal"
	"relay/relay/stream"
	"relay/tree"
)

func parseBody(typ byte, frame []byte) (Frame, error) {
	switch typ {
	case typeChunk:
		return noNil(stream.ParseChunk(frame))
	case typeHeader:
		return noNil(stream.ParseHeader(frame))
	case typeBeat:
		return noNil(stream.ParseBeat(frame))
	case typeSums:
		return noNil(stream.ParseSums(frame))
	case typeAbout:
		return noNil(stream.ParseAbout(frame))
	}
	p := &parser{b: frame[stream.PreludeLen:]}
	f := p.body(typ)
	switch {
	case p.err != nil:
		return nil, p.err
	case len(p.b) != 0:
		return nil, fmt.Errorf("%d bytes too many: %w", len(p.b), ErrFrame)
	}
	return f, nil
}

// noNil keeps a nil pointer from becoming a Frame that is not nil.
func noNil[T any](f *T, err error) (Frame, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (p *parser) body(typ byte) Frame {
	switch typ {
	case typeGap:
		return Gap{p.u64()}
	case typeHello:
		p.protocol()
		id, flags := stream.ChannelID(p.array32()), p.u8()
		if flags > helloStandby|helloNoCalls {
			p.fail(fmt.Errorf("flags %#x: %w", flags, ErrFrame))
		}
		return Hello{id, tree.Join{
			Standby: flags&helloStandby != 0, NoCalls: flags&helloNoCalls != 0, Slots: p.u16(), Age: p.u32(), Below: p.u32(), Within: p.u8(), Addrs: p.addrs(),
		}}
	case typeSample:
		return p.sample()
	case typeWelcome:
		return tree.Welcome{
			Label: p.label(), Lag: p.u32(),
			Path: p.places(tree.MaxPath), Others: p.places(tree.MaxRefer), Seen: p.addr(true),
		}
	case typeRefer:
		return tree.Refer{Reason: tree.Reason(p.u8()), Places: p.places(tree.MaxRefer)}
	case typePull:
		return tree.Pull{Have: tree.Position{Epoch: p.epoch(), Seq: p.u64()}}
	case typeHeartbeat:
		return tree.Heartbeat{
			Label: p.label(), Orphan: p.bool(), Clock: p.u64(), Echo: p.u64(), Held: p.u64(), Lag: p.u32(),
			Best: p.room(), Room: p.room(),
		}
	case typePath:
		return tree.Path{Path: p.places(tree.MaxPath)}
	case typeReport:
		return tree.Report{
			Sent: p.u64(), Slots: p.u16(), Free: p.u16(), Children: p.u16(), Below: p.u32(), Room: p.room(), Lost: p.u64(),
		}
	case typeBackups:
		return tree.Backups{Places: p.places(tree.MaxBackups)}
	case typeFacts:
		return Facts{p.view()}
	case typeSurvey:
		p.protocol()
		return Survey{stream.ChannelID(p.array32())}
	case typeWhole:
		return Whole{p.view()}
	case typeOffer:
		p.protocol()
		return Offer{stream.ChannelID(p.array32()), p.proof()}
	case typeSeen:
		return Seen{p.addr(false)}
	case typeThrough:
		return Through{tree.Marks(p.u8())}
	case typeCallable:
		return Callable{p.bool(), p.room()}
	case typeOpenings:
		return Openings{p.openings()}
	case typeRooms:
		return Rooms{p.room(), p.room()}
	case typeCall:
		return Call{tree.ID(p.array32())}
	case typeCalled:
		return Called{tree.ID(p.array32()), p.addr(true)}
	case typeMeet:
		return Meet{tree.ID(p.array32()), p.addr(true), p.addr(true)}
	case typeReady:
		return Ready{tree.ID(p.array32()), p.bool()}
	case typeProve:
		return Prove{p.array32()}
	case typeEntrust:
		return Entrust{[seal.SecretLen]byte(p.take(seal.SecretLen))}
	case typeNames:
		return Names{p.names()}
	case typeWhoIs:
		return WhoIs{p.tags()}
	case typeAudience:
		return Audience{p.u32()}
	case typeRecall:
		return Recall{p.position(), p.position()}
	case typeKept:
		return p.kept()
	case typeRecalled:
		return Recalled{p.bool()}
	case typeSeek:
		return Seek{p.most()}
	case typeDHTNodes:
		return DHTNodes{p.addrsOf(MaxDHTNodes)}
	case typeProbed:
		return Probed{p.addr(false), p.bool()}
	case typeDialMe:
		p.protocol()
		return DialMe{stream.ChannelID(p.array32()), p.port()}
	case typeDialled:
		return Dialled{p.addr(false), p.answer(), p.answer()}
	case typeDouble:
		return Double{stream.Double(p.take(stream.DoubleLen))}
	case typeLineage:
		return Lineage{stream.Epoch(p.epoch()), p.lineage()}
	case typeLater:
		p.protocol()
		return Later{stream.ChannelID(p.array32()), p.beat(), p.place()}
	default: // typeBye: Parse knows no other
		return tree.Bye{Reason: tree.Reason(p.u8()), Places: p.places(tree.MaxRefer)}
	}
}

func (p *parser) position() stream.Position {
	return stream.Position{Epoch: stream.Epoch(p.epoch()), Seq: p.u64()}
}

// kept copies what it reads, as that is held for longer than a frame may be.
func (p *parser) kept() (k Kept) {
	b := bytes.Clone(p.take(len(p.b)))
	typ, _ := stream.Prelude(b)
	var err error
	if typ == typeHeader {
		k.Header, err = stream.ParseHeader(b)
	} else {
		k.Chunk, err = stream.ParseChunk(b)
	}
	if err != nil {
		p.fail(fmt.Errorf("kept: %w: %w", ErrFrame, err))
	}
	return k
}

// ParseAddrs reads what AppendAddrs wrote from the front of b, and returns the rest of b.
// The error wraps [ErrFrame].
func ParseAddrs(b []byte) (as []netip.AddrPort, rest []byte, err error) {
	p := &parser{b: b}
	as = p.addrs()
	return as, p.b, p.err
}

// ParsePlaces is ParseAddrs for what AppendPlaces wrote.
func ParsePlaces(b []byte, most int) (ps []tree.Place, rest []byte, err error) {
	p := &parser{b: b}
	ps = p.places(most)
	return ps, p.b, p.err
}

// parser reads fields from the front of a body. After the first error it reads zeros.
type parser struct {
	b   []byte
	err error
}

func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
	p.b = nil
}

func (p *parser) take(n int) []byte {
	if len(p.b) < n {
		p.fail(fmt.Errorf("too short: %w", ErrFrame))
		return make([]byte, n) // n is a field's width, at most lineage.MaxLen
	}
	v := p.b[:n]
	p.b = p.b[n:]
	return v
}

func (p *parser) port() uint16 {
	n := p.u16()
	if n == 0 {
		p.fail(fmt.Errorf("port 0: %w", ErrFrame))
	}
	return n
}

// beat reads a beat without its prelude.
func (p *parser) beat() *stream.Beat {
	b := make([]byte, stream.BeatLen)
	stream.PutPrelude(b, stream.FrameBeat, beatBody)
	if len(p.b) < beatBody {
		p.fail(fmt.Errorf("too short: %w", ErrFrame))
		return nil
	}
	copy(b[stream.PreludeLen:], p.b)
	p.b = p.b[beatBody:]
	beat, err := stream.ParseBeat(b)
	if err != nil {
		p.fail(err)
	}
	return beat
}

func (p *parser) lineage() lineage.Lineage {
	n := int(p.u8())
	if n < 1 || n > lineage.MaxDepth+1 {
		p.fail(fmt.Errorf("%d places: %w", n, ErrFrame))
		return nil
	}
	return p.take(n * lineage.PlaceLen)
}

// proof reads the proof at the end of an offer, if there is one.
func (p *parser) proof() *[ProofLen]byte {
	if len(p.b) == 0 {
		return nil
	}
	return (*[ProofLen]byte)(p.take(ProofLen))
}

// most reads how many nodes of the DHT are asked for.
func (p *parser) most() uint8 {
	n := p.u8()
	if n < 1 || n > MaxDHTNodes {
		p.fail(fmt.Errorf("%d nodes are asked for: %w", n, ErrFrame))
	}
	return n
}

func (p *parser) answer() Answer {
	a := Answer(p.u8())
	if a >= answerEnd {
		p.fail(fmt.Errorf("answer %d: %w", a, ErrFrame))
	}
	return a
}

func (p *parser) u8() byte          { return p.take(1)[0] }
func (p *parser) u16() uint16       { return binary.BigEndian.Uint16(p.take(2)) }
func (p *parser) u32() uint32       { return binary.BigEndian.Uint32(p.take(4)) }
func (p *parser) u64() uint64       { return binary.BigEndian.Uint64(p.take(8)) }
func (p *parser) array32() [32]byte { return [32]byte(p.take(32)) }
func (p *parser) epoch() tree.Epoch { return tree.Epoch{Ms: p.u64(), Rand: p.u64()} }
func (p *parser) label() tree.Label { return tree.Label{Epoch: p.epoch(), E: p.u64(), H: p.u16()} }

func (p *parser) room() tree.Room { return tree.Room(p.take(tree.Classes)) }

func (p *parser) bool() bool {
	v := p.u8()
	if v > 1 {
		p.fail(fmt.Errorf("truth value %d: %w", v, ErrFrame))
	}
	return v == 1
}

// protocol reads the version with which a stranger's first frame begins.
func (p *parser) protocol() {
	if v := p.u8(); v != Version {
		p.fail(fmt.Errorf("%w: %d, this one speaks %d", ErrVersion, v, Version))
	}
}

// addr reads an address at which a node can be dialled.
func (p *parser) addr(optional bool) netip.AddrPort {
	var ip netip.Addr
	switch family := p.u8(); {
	case p.err != nil:
		return netip.AddrPort{}
	case family == 0 && optional:
		return netip.AddrPort{}
	case family == 4:
		ip = netip.AddrFrom4([4]byte(p.take(4)))
	case family == 6:
		ip = netip.AddrFrom16([16]byte(p.take(16)))
	default:
		p.fail(fmt.Errorf("address family %d: %w", family, ErrFrame))
		return netip.AddrPort{}
	}
	a := netip.AddrPortFrom(ip, p.u16())
	if p.err == nil && !dialable(ip, a.Port()) {
		p.fail(fmt.Errorf("address %v cannot be dialled: %w", a, ErrFrame))
	}
	return a
}

func (p *parser) addrs() []netip.AddrPort { return p.addrsOf(tree.MaxAddrs) }

func (p *parser) addrsOf(most int) []netip.AddrPort {
	n := int(p.u8())
	if n > most {
		p.fail(fmt.Errorf("%d addresses: %w", n, ErrFrame))
	}
	var as []netip.AddrPort
	for range n {
		if p.err != nil {
			return nil
		}
		as = append(as, p.addr(false))
	}
	return as
}

func (p *parser) places(most int) []tree.Place {
	n := int(p.u8())
	if n > most {
		p.fail(fmt.Errorf("%d places: %w", n, ErrFrame))
	}
	var ps []tree.Place
	for range n {
		if p.err != nil {
			return nil
		}
		ps = append(ps, p.place())
	}
	return ps
}

func (p *parser) place() tree.Place { return tree.Place{ID: tree.ID(p.array32()), Addrs: p.addrs()} }

func (p *parser) openings() (of []tree.Opening) {
	n := int(p.u8())
	if n > tree.MaxOpenings {
		p.fail(fmt.Errorf("%d openings: %w", n, ErrFrame))
	}
	for range n {
		o := tree.Opening{Place: p.place(), Free: p.u8(), Down: p.u8()}
		if p.err == nil && (o.Free > tree.MaxFree || o.Down > tree.MaxPath) {
			p.fail(fmt.Errorf("%d slots %d links down: %w", o.Free, o.Down, ErrFrame))
		}
		if p.err != nil {
			return nil
		}
		of = append(of, o)
	}
	return of
}

func (p *parser) names() (of []nameplate.Plate) {
	n := int(p.u8())
	if n > MaxNames {
		p.fail(fmt.Errorf("%d names: %w", n, ErrFrame))
	}
	for range n {
		plate, rest, ok := nameplate.Cut(p.b)
		if !ok {
			p.fail(fmt.Errorf("no plate: %w", ErrFrame))
			return nil
		}
		p.b = rest
		of = append(of, plate)
	}
	return of
}

func (p *parser) tags() (of []NodeTag) {
	n := int(p.u8())
	if n == 0 || n > MaxNames || n*len(NodeTag{}) > len(p.b) {
		p.fail(fmt.Errorf("%d nodes in %d bytes: %w", n, len(p.b), ErrFrame))
		return nil
	}
	for range n {
		of = append(of, NodeTag(p.take(len(NodeTag{}))))
	}
	return of
}

func (p *parser) count() int {
	if n := p.u16(); n != noCount {
		return int(n)
	}
	return -1
}

func (p *parser) sample() Sample {
	s := Sample{Members: p.u16()}
	n := int(p.u8())
	if n > MaxSample {
		p.fail(fmt.Errorf("%d nodes in a sample: %w", n, ErrFrame))
	}
	for range n {
		if p.err != nil {
			return s
		}
		s.Of = append(s.Of, tree.Candidate{Place: p.place(), Depth: p.count(), Free: p.count(), Slots: p.count()})
	}
	return s
}
