package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"relay/relay/stream"
	"relay/tree"
)

func appendBody(b []byte, f Frame) (byte, []byte) {
	be := binary.BigEndian
	switch f := f.(type) {
	case Gap:
		return typeGap, be.AppendUint64(b, f.Missed)
	case Hello:
		b = append(b, Version)
		b = append(b, f.Channel[:]...)
		b = appendBool(b, f.Join.Standby)
		b = be.AppendUint16(b, f.Join.Slots)
		b = be.AppendUint32(b, f.Join.Age)
		b = be.AppendUint32(b, f.Join.Below)
		b = append(b, f.Join.Within)
		return typeHello, appendAddrs(b, f.Join.Addrs)
	case Sample:
		b = be.AppendUint16(b, f.Members)
		of := f.Of[:min(len(f.Of), MaxSample)]
		b = append(b, byte(len(of)))
		for _, c := range of {
			b = appendPlace(b, c.Place)
			b = appendCount(b, c.Depth)
			b = appendCount(b, c.Free)
			b = appendCount(b, c.Slots)
		}
		return typeSample, b
	case tree.Welcome:
		b = appendLabel(b, f.Label)
		b = be.AppendUint32(b, f.Lag)
		b = appendPlaces(b, f.Path, tree.MaxPath)
		b = appendPlaces(b, f.Others, tree.MaxRefer)
		return typeWelcome, appendAddr(b, f.Seen)
	case tree.Refer:
		b = append(b, byte(f.Reason))
		return typeRefer, appendPlaces(b, f.Places, tree.MaxRefer)
	case tree.Pull:
		b = appendEpoch(b, f.Have.Epoch)
		return typePull, be.AppendUint64(b, f.Have.Seq)
	case tree.Heartbeat:
		b = appendLabel(b, f.Label)
		b = appendBool(b, f.Orphan)
		b = be.AppendUint64(b, f.Clock)
		b = be.AppendUint64(b, f.Echo)
		b = be.AppendUint64(b, f.Held)
		b = be.AppendUint32(b, f.Lag)
		b = append(b, f.Best[:]...)
		return typeHeartbeat, append(b, f.Room[:]...)
	case tree.Path:
		return typePath, appendPlaces(b, f.Path, tree.MaxPath)
	case tree.Report:
		b = be.AppendUint64(b, f.Sent)
		b = be.AppendUint16(b, f.Slots)
		b = be.AppendUint16(b, f.Free)
		b = be.AppendUint16(b, f.Children)
		b = be.AppendUint32(b, f.Below)
		b = append(b, f.Room[:]...)
		return typeReport, be.AppendUint64(b, f.Lost)
	case tree.Backups:
		return typeBackups, appendPlaces(b, f.Places, tree.MaxBackups)
	case tree.Bye:
		b = append(b, byte(f.Reason))
		return typeBye, appendPlaces(b, f.Places, tree.MaxRefer)
	case Facts:
		return typeFacts, appendView(b, f.View)
	case Survey:
		return typeSurvey, append(append(b, Version), f.Channel[:]...)
	case Whole:
		return typeWhole, appendView(b, f.View)
	}
	panic(fmt.Sprintf("wire: %T is no frame", f))
}

func parseBody(typ byte, frame []byte) (Frame, error) {
	switch typ {
	case typeChunk:
		return noNil(stream.ParseChunk(frame))
	case typeHeader:
		return noNil(stream.ParseHeader(frame))
	case typeBeat:
		return noNil(stream.ParseBeat(frame))
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
		return Hello{stream.ChannelID(p.array32()), tree.Join{
			Standby: p.bool(), Slots: p.u16(), Age: p.u32(), Below: p.u32(), Within: p.u8(), Addrs: p.addrs(),
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
	default: // typeBye: Parse knows no other
		return tree.Bye{Reason: tree.Reason(p.u8()), Places: p.places(tree.MaxRefer)}
	}
}

func appendEpoch(b []byte, e tree.Epoch) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, e.Ms), e.Rand)
}

func appendLabel(b []byte, l tree.Label) []byte {
	b = appendEpoch(b, l.Epoch)
	b = binary.BigEndian.AppendUint64(b, l.E)
	return binary.BigEndian.AppendUint16(b, l.H)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// appendAddr writes a family, 4 or 6, the address and the port; a lone 0 for an
// address that is not valid.
func appendAddr(b []byte, a netip.AddrPort) []byte {
	ip := a.Addr().Unmap().WithZone("")
	if !dialable(ip, a.Port()) {
		return append(b, 0)
	}
	if ip.Is4() {
		b = append(b, 4)
	} else {
		b = append(b, 6)
	}
	b = append(b, ip.AsSlice()...)
	return binary.BigEndian.AppendUint16(b, a.Port())
}

// appendAddrs leaves out what could not be dialled: the other side would take it
// for a breach of the protocol.
func appendAddrs(b []byte, as []netip.AddrPort) []byte {
	at, n := len(b), 0
	b = append(b, 0)
	for _, a := range as {
		if n < tree.MaxAddrs && dialable(a.Addr().Unmap(), a.Port()) {
			b = appendAddr(b, a)
			n++
		}
	}
	b[at] = byte(n)
	return b
}

// Dialable reports whether a node could listen there, so that its address may be in a
// frame.
func Dialable(a netip.AddrPort) bool { return a.Addr().Zone() == "" && dialable(a.Addr(), a.Port()) }

// dialable reports whether a node could listen there.
func dialable(ip netip.Addr, port uint16) bool {
	return ip.IsValid() && port != 0 && !ip.IsUnspecified() && !ip.IsMulticast() && !ip.Is4In6()
}

func appendPlaces(b []byte, ps []tree.Place, most int) []byte {
	ps = ps[:min(len(ps), most)]
	b = append(b, byte(len(ps)))
	for _, p := range ps {
		b = appendPlace(b, p)
	}
	return b
}

func appendPlace(b []byte, p tree.Place) []byte {
	return appendAddrs(append(b, p.ID[:]...), p.Addrs)
}

// noCount stands for a number that is not known.
const noCount = 1<<16 - 1

// appendCount writes a number of nodes; -1 is one that is not known.
func appendCount(b []byte, n int) []byte {
	if n < 0 {
		n = noCount
	}
	return binary.BigEndian.AppendUint16(b, uint16(min(n, noCount)))
}

// AppendAddrs appends addresses as frames have them, for messages that do not go over a
// link. It leaves out those that cannot be dialled, and those beyond tree.MaxAddrs.
func AppendAddrs(b []byte, as []netip.AddrPort) []byte { return appendAddrs(b, as) }

// ParseAddrs reads what AppendAddrs wrote off the front of b, and returns what
// follows. The error wraps [ErrFrame].
func ParseAddrs(b []byte) (as []netip.AddrPort, rest []byte, err error) {
	p := &parser{b: b}
	as = p.addrs()
	return as, p.b, p.err
}

// parser reads fields off the front of a body. After the first error it reads
// zeros.
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
		return make([]byte, n) // n is a field's width, at most 32
	}
	v := p.b[:n]
	p.b = p.b[n:]
	return v
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

// addr reads an address that a node could be dialled at.
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

func (p *parser) addrs() []netip.AddrPort {
	n := int(p.u8())
	if n > tree.MaxAddrs {
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
