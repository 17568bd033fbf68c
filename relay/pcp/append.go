package pcp

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

func appendHead(b []byte, n Name, v uint32) []byte {
	return binary.LittleEndian.AppendUint32(append(b, n[:]...), v)
}

func appendInt(b []byte, n Name, v uint32) []byte {
	return binary.LittleEndian.AppendUint32(appendHead(b, n, 4), v)
}

func appendShort(b []byte, n Name, v uint16) []byte {
	return binary.LittleEndian.AppendUint16(appendHead(b, n, 2), v)
}

func appendChar(b []byte, n Name, v byte) []byte { return append(appendHead(b, n, 1), v) }

func appendBytes(b []byte, n Name, v []byte) []byte {
	return append(appendHead(b, n, uint32(len(v))), v...)
}

// appendText appends a text with the zero byte that ends it.
func appendText(b []byte, n Name, s string) []byte {
	s = Clean(s)
	return append(append(appendHead(b, n, uint32(len(s)+1)), s...), 0)
}

func appendAddr(b []byte, n Name, a netip.Addr) []byte {
	raw := []byte{0, 0, 0, 0}
	if a.IsValid() {
		raw = a.Unmap().AsSlice()
	}
	slices.Reverse(raw)
	return appendBytes(b, n, raw)
}

// parent is one that is being written: children are counted as they are begun.
type parent struct {
	b    []byte
	at   int // where its length is
	kids uint32
}

func begin(b []byte, n Name) *parent {
	b = appendHead(b, n, 0)
	return &parent{b: b, at: len(b) - 4}
}

func (p *parent) int(n Name, v uint32)         { p.kids++; p.b = appendInt(p.b, n, v) }
func (p *parent) short(n Name, v uint16)       { p.kids++; p.b = appendShort(p.b, n, v) }
func (p *parent) char(n Name, v byte)          { p.kids++; p.b = appendChar(p.b, n, v) }
func (p *parent) bytes(n Name, v []byte)       { p.kids++; p.b = appendBytes(p.b, n, v) }
func (p *parent) text(n Name, s string)        { p.kids++; p.b = appendText(p.b, n, s) }
func (p *parent) addr(n Name, a netip.Addr)    { p.kids++; p.b = appendAddr(p.b, n, a) }
func (p *parent) atom(add func([]byte) []byte) { p.kids++; p.b = add(p.b) }

// id appends an ID unless it is zero.
func (p *parent) id(n Name, id ID) {
	if id != (ID{}) {
		p.bytes(n, id[:])
	}
}

// maybe appends a text unless it is empty.
func (p *parent) maybe(n Name, s string) {
	if s != "" {
		p.text(n, s)
	}
}

func (p *parent) end() []byte {
	binary.LittleEndian.PutUint32(p.b[p.at:], p.kids|parentBit)
	return p.b
}
