package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"relay/relay/nameplate"
	"relay/relay/stream"
	"relay/tree"
)

// appendBody writes a frame's body and returns its type.
func appendBody(b []byte, f Frame) (byte, []byte) {
	switch f := f.(type) {
	case Gap:
		return typeGap, binary.BigEndian.AppendUint64(b, f.Missed)
	case Hello:
		return typeHello, appendHello(b, f)
	case Sample:
		return typeSample, appendSample(b, f)
	case tree.Welcome:
		return typeWelcome, appendWelcome(b, f)
	case tree.Refer:
		return typeRefer, appendPlaces(append(b, byte(f.Reason)), f.Places, tree.MaxRefer)
	case tree.Pull:
		return typePull, binary.BigEndian.AppendUint64(appendEpoch(b, f.Have.Epoch), f.Have.Seq)
	case tree.Heartbeat:
		return typeHeartbeat, appendHeartbeat(b, f)
	case tree.Path:
		return typePath, appendPlaces(b, f.Path, tree.MaxPath)
	case tree.Report:
		return typeReport, appendReport(b, f)
	case tree.Backups:
		return typeBackups, appendPlaces(b, f.Places, tree.MaxBackups)
	case tree.Bye:
		return typeBye, appendPlaces(append(b, byte(f.Reason)), f.Places, tree.MaxRefer)
	case Facts:
		return typeFacts, appendView(b, f.View)
	case Survey:
		return typeSurvey, append(append(b, Version), f.Channel[:]...)
	case Whole:
		return typeWhole, appendView(b, f.View)
	case Offer:
		b = append(append(b, Version), f.Channel[:]...)
		if f.Proof != nil {
			b = append(b, f.Proof[:]...)
		}
		return typeOffer, b
	case DialMe:
		return typeDialMe, binary.BigEndian.AppendUint16(append(append(b, Version), f.Channel[:]...), f.Port)
	case Dialled:
		return typeDialled, append(appendAddr(b, f.Addr), byte(f.TCP), byte(f.UDP))
	case Seen:
		return typeSeen, appendAddr(b, f.Addr)
	case Through:
		return typeThrough, append(b, byte(f.Places))
	case Callable:
		return typeCallable, append(appendBool(b, f.Is), f.Room[:]...)
	case Openings:
		return typeOpenings, appendOpenings(b, f.Of)
	case Rooms:
		return typeRooms, append(append(b, f.Best[:]...), f.Room[:]...)
	case Call:
		return typeCall, append(b, f.Target[:]...)
	case Called:
		return typeCalled, appendAddr(append(b, f.Target[:]...), f.Addr)
	case Meet:
		return typeMeet, appendAddr(appendAddr(append(b, f.Caller[:]...), f.Addr), f.Listen)
	case Ready:
		return typeReady, appendBool(append(b, f.Caller[:]...), f.Is)
	case Double:
		return typeDouble, append(b, f.Proof[:]...)
	case Lineage:
		b = append(appendEpoch(b, tree.Epoch(f.Epoch)), byte(f.Places.Depth()+1))
		return typeLineage, append(b, f.Places...)
	case Later:
		b = append(append(b, Version), f.Channel[:]...)
		return typeLater, appendPlace(append(b, f.Beat.Frame()[stream.PreludeLen:]...), f.At)
	case Prove:
		return typeProve, append(b, f.Proof[:]...)
	case Entrust:
		return typeEntrust, append(b, f.JoinPart[:]...)
	case Names:
		return typeNames, appendNames(b, f.Of)
	case WhoIs:
		of := f.Of[:min(len(f.Of), MaxNames)]
		b = append(b, byte(len(of)))
		for _, t := range of {
			b = append(b, t[:]...)
		}
		return typeWhoIs, b
	case Audience:
		return typeAudience, binary.BigEndian.AppendUint32(b, f.Watching)
	case Recall:
		return typeRecall, appendPosition(appendPosition(b, f.After), f.Before)
	case Kept:
		if f.Header != nil {
			return typeKept, append(b, f.Header.Frame()...)
		}
		return typeKept, append(b, f.Chunk.Frame()...)
	case Recalled:
		return typeRecalled, appendBool(b, f.Some)
	case Seek:
		return typeSeek, append(b, min(max(f.Most, 1), MaxDHTNodes))
	case DHTNodes:
		return typeDHTNodes, appendAddrsOf(b, f.At, MaxDHTNodes)
	case Probed:
		return typeProbed, appendBool(appendAddr(b, f.Addr), f.Open)
	}
	panic(fmt.Sprintf("wire: %T is no frame", f))
}

func appendPosition(b []byte, p stream.Position) []byte {
	return binary.BigEndian.AppendUint64(appendEpoch(b, tree.Epoch(p.Epoch)), p.Seq)
}

func appendHello(b []byte, f Hello) []byte {
	b = append(b, Version)
	b = append(b, f.Channel[:]...)
	b = append(b, helloFlags(f.Join))
	b = binary.BigEndian.AppendUint16(b, f.Join.Slots)
	b = binary.BigEndian.AppendUint32(b, f.Join.Age)
	b = binary.BigEndian.AppendUint32(b, f.Join.Below)
	b = append(b, f.Join.Within)
	return appendAddrs(b, f.Join.Addrs)
}

// Bits of a hello.
const (
	helloStandby = 1 << iota
	helloNoCalls
)

func helloFlags(j tree.Join) (flags byte) {
	if j.Standby {
		flags |= helloStandby
	}
	if j.NoCalls {
		flags |= helloNoCalls
	}
	return flags
}

func appendSample(b []byte, f Sample) []byte {
	b = binary.BigEndian.AppendUint16(b, f.Members)
	of := f.Of[:min(len(f.Of), MaxSample)]
	b = append(b, byte(len(of)))
	for _, c := range of {
		b = appendPlace(b, c.Place)
		b = appendCount(b, c.Depth)
		b = appendCount(b, c.Free)
		b = appendCount(b, c.Slots)
	}
	return b
}

func appendWelcome(b []byte, f tree.Welcome) []byte {
	b = appendLabel(b, f.Label)
	b = binary.BigEndian.AppendUint32(b, f.Lag)
	b = appendPlaces(b, f.Path, tree.MaxPath)
	b = appendPlaces(b, f.Others, tree.MaxRefer)
	return appendAddr(b, f.Seen)
}

func appendHeartbeat(b []byte, f tree.Heartbeat) []byte {
	b = appendLabel(b, f.Label)
	b = appendBool(b, f.Orphan)
	b = binary.BigEndian.AppendUint64(b, f.Clock)
	b = binary.BigEndian.AppendUint64(b, f.Echo)
	b = binary.BigEndian.AppendUint64(b, f.Held)
	b = binary.BigEndian.AppendUint32(b, f.Lag)
	b = append(b, f.Best[:]...)
	return append(b, f.Room[:]...)
}

func appendReport(b []byte, f tree.Report) []byte {
	b = binary.BigEndian.AppendUint64(b, f.Sent)
	b = binary.BigEndian.AppendUint16(b, f.Slots)
	b = binary.BigEndian.AppendUint16(b, f.Free)
	b = binary.BigEndian.AppendUint16(b, f.Children)
	b = binary.BigEndian.AppendUint32(b, f.Below)
	b = append(b, f.Room[:]...)
	return binary.BigEndian.AppendUint64(b, f.Lost)
}

func appendOpenings(b []byte, of []tree.Opening) []byte {
	of = of[:min(len(of), tree.MaxOpenings)]
	b = append(b, byte(len(of)))
	for _, o := range of {
		b = append(appendPlace(b, o.Place), min(o.Free, tree.MaxFree), o.Down)
	}
	return b
}

// appendNames leaves out plates that are none.
func appendNames(b []byte, of []nameplate.Plate) []byte {
	at, n := len(b), 0
	b = append(b, 0)
	for _, p := range of {
		if n < MaxNames && p != "" {
			b = append(b, p...)
			n++
		}
	}
	b[at] = byte(n)
	return b
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

// appendAddr writes a family, 4 or 6, the address and the port. For an address that cannot
// be dialled it writes a single 0.
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

// appendAddrs leaves out addresses that cannot be dialled: the other side would take them
// for a breach of the protocol.
func appendAddrs(b []byte, as []netip.AddrPort) []byte { return appendAddrsOf(b, as, tree.MaxAddrs) }

func appendAddrsOf(b []byte, as []netip.AddrPort, most int) []byte {
	at, n := len(b), 0
	b = append(b, 0)
	for _, a := range as {
		if n < most && dialable(a.Addr().Unmap(), a.Port()) {
			b = appendAddr(b, a)
			n++
		}
	}
	b[at] = byte(n)
	return b
}

// Dialable reports whether a node could listen at an address. Only such addresses may be in
// a frame.
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

// appendCount writes a number of nodes, which is -1 if it is not known.
func appendCount(b []byte, n int) []byte {
	if n < 0 {
		n = noCount
	}
	return binary.BigEndian.AppendUint16(b, uint16(min(n, noCount)))
}

// AppendAddrs appends addresses in the format of frames, for messages that do not go over a
// link. It leaves out addresses that cannot be dialled, and those beyond tree.MaxAddrs.
func AppendAddrs(b []byte, as []netip.AddrPort) []byte { return appendAddrs(b, as) }

// AppendPlaces is AppendAddrs for places, a count of them first; those beyond most are left out.
func AppendPlaces(b []byte, ps []tree.Place, most int) []byte { return appendPlaces(b, ps, most) }
