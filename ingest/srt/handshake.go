//go:build !lean

package srt

import (
	"encoding/binary"

	"github.com/datarhei/gosrt/circular"
	"github.com/datarhei/gosrt/packet"
)

const (
	// Available reports whether this program was built with SRT.
	Available = true

	headLen = 16 // of a packet, in bytes
	cifLen  = 48 // of a handshake without extensions
	// maxDatagram is how long a datagram may be, in bytes: Ethernet's, with the heads of IP and UDP.
	maxDatagram = 1500
	// maxPayload is how much data one has at most, and leastSegment how much the other side has to take
	// in one, as a handshake says it: a packet of MPEG-TS with all heads.
	maxPayload, leastSegment = 1456, 188 + 44
	// maxExtensions is how many a handshake may have. There are six kinds.
	maxExtensions = 8
	// ourVersion is the version of libsrt whose features are these.
	ourVersion, leastVersion = 0x010401, 0x010300
	// magic is what a listener of version 5 says of itself.
	magic = 0x4A17
	// flowWindow is how many packets may be on their way.
	flowWindow = 8192
)

// greeting is a handshake that has come.
type greeting struct {
	packet.CIFHandshake
	stamp uint32
}

// readGreeting reads a packet that is a handshake. It looks at all lengths itself: the library trusts
// that there are four bytes wherever an extension may begin.
func readGreeting(b []byte) (*greeting, bool) {
	if len(b) < headLen+cifLen || len(b) > maxDatagram || binary.BigEndian.Uint32(b) != 0x80000000 {
		return nil, false
	}
	cif := b[headLen:]
	for n, rest := 0, cif[cifLen:]; len(rest) > 0; n++ {
		if len(rest) < 4 || n == maxExtensions {
			return nil, false
		}
		length := 4 * int(binary.BigEndian.Uint16(rest[2:]))
		if len(rest) < 4+length {
			return nil, false
		}
		rest = rest[4+length:]
	}
	g := &greeting{stamp: binary.BigEndian.Uint32(b[8:])}
	if err := g.Unmarshal(cif); err != nil {
		return nil, false
	}
	return g, true
}

// suits says why a conclusion of a handshake of version 5 cannot be agreed to; nil if it can.
func (g *greeting) suits() error {
	switch {
	case g.Version != 5:
		return ErrVersion
	case g.SRTHS == nil, g.MaxTransmissionUnitSize < leastSegment:
		return errGarbage
	}
	f := g.SRTHS.SRTFlags
	switch {
	case g.SRTHS.SRTVersion < leastVersion, f.STREAM, g.HasCongestionCtl && g.CongestionCtl != "live":
		return ErrVersion
	case !f.TSBPDSND || !f.TSBPDRCV || !f.TLPKTDROP || !f.PERIODICNAK || !f.REXMITFLG:
		return ErrVersion
	case max(g.SRTHS.SendTSBPDDelay, g.SRTHS.RecvTSBPDDelay) > uint16(MaxLatency.Milliseconds()):
		return errLatency
	}
	return nil
}

// unlock opens the key with which it encrypts.
func (g *greeting) unlock(passphrase string) (*key, error) {
	k := &key{}
	return k, k.open(g.SRTKM, passphrase)
}

// ourExtension says what this side can do.
func ourExtension(recv, send uint16) *packet.CIFHandshakeExtension {
	return &packet.CIFHandshakeExtension{
		SRTVersion:     ourVersion,
		SRTFlags:       packet.CIFHandshakeExtensionFlags{TSBPDSND: true, TSBPDRCV: true, CRYPT: true, TLPKTDROP: true, PERIODICNAK: true, REXMITFLG: true},
		RecvTSBPDDelay: recv, SendTSBPDDelay: send,
	}
}

// control returns a packet of a kind for a peer.
func control(kind packet.CtrlType, stamp, to uint32, cif packet.CIF) packet.Packet {
	p := packet.NewPacket(nil)
	h := p.Header()
	h.IsControlPacket, h.ControlType, h.Timestamp, h.DestinationSocketId = true, kind, stamp, to
	if cif != nil {
		p.MarshalCIF(cif) // into memory
	}
	return p
}

// marshal returns a packet's bytes, and gives the packet back.
func marshal(p packet.Packet) []byte {
	b := appendPacket(nil, p)
	p.Decommission()
	return b
}

// appendPacket appends a packet's bytes.
func appendPacket(b []byte, p packet.Packet) []byte {
	w := appender(b)
	p.Marshal(&w) // fails for no payload alone
	return w
}

type appender []byte

func (a *appender) Write(b []byte) (int, error) {
	*a = append(*a, b...)
	return len(b), nil
}

// sequence is a sequence number of packets.
func sequence(n uint32) circular.Number {
	return circular.New(n&packet.MAX_SEQUENCENUMBER, packet.MAX_SEQUENCENUMBER)
}
