package pcptest

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"slices"
)

// mostRead bounds what the model reads of one atom, in bytes.
const mostRead = 1 << 20

// Atom is one atom: with children, or with data.
type Atom struct {
	Name   string
	Parent bool
	Kids   []Atom
	Data   []byte
}

// Of returns an atom with children.
func Of(name string, kids ...Atom) Atom { return Atom{Name: name, Parent: true, Kids: kids} }

// Raw returns an atom with data.
func Raw(name string, data []byte) Atom { return Atom{Name: name, Data: data} }

// Text returns an atom with a text and its zero byte.
func Text(name, s string) Atom { return Raw(name, append([]byte(s), 0)) }

// Int, Short and Char return atoms with a number of 4, 2 and 1 bytes.
func Int(name string, v uint32) Atom { return Raw(name, binary.LittleEndian.AppendUint32(nil, v)) }

// Short returns an atom with a number of 2 bytes.
func Short(name string, v uint16) Atom { return Raw(name, binary.LittleEndian.AppendUint16(nil, v)) }

// Char returns an atom with a number of one byte.
func Char(name string, v byte) Atom { return Raw(name, []byte{v}) }

// IP returns an atom with an address, as a number.
func IP(name string, a netip.Addr) Atom {
	b := []byte{0, 0, 0, 0}
	if a.IsValid() {
		b = a.Unmap().AsSlice()
	}
	slices.Reverse(b)
	return Raw(name, b)
}

// Bytes returns the atom as it is sent.
func (a Atom) Bytes() []byte { return a.append(nil) }

func (a Atom) append(b []byte) []byte {
	var head [8]byte
	copy(head[:4], a.Name)
	v := uint32(len(a.Data))
	if a.Parent {
		v = uint32(len(a.Kids)) | 1<<31
	}
	binary.LittleEndian.PutUint32(head[4:], v)
	b = append(append(b, head[:]...), a.Data...)
	for _, k := range a.Kids {
		b = k.append(b)
	}
	return b
}

// Find returns the first child of a name.
func (a Atom) Find(name string) (Atom, bool) {
	i := slices.IndexFunc(a.Kids, func(k Atom) bool { return k.Name == name })
	if i < 0 {
		return Atom{}, false
	}
	return a.Kids[i], true
}

// number returns the number in a child, 0 if there is none.
func (a Atom) number(name string) uint32 {
	k, _ := a.Find(name)
	return k.value()
}

func (a Atom) value() uint32 {
	var b [4]byte
	copy(b[:], a.Data)
	return binary.LittleEndian.Uint32(b[:])
}

// text returns the text in a child.
func (a Atom) text(name string) string {
	k, _ := a.Find(name)
	end := slices.Index(k.Data, 0)
	if end < 0 {
		end = len(k.Data)
	}
	return string(k.Data[:end])
}

// id returns the ID in a child, zero if there is none.
func (a Atom) id(name string) (id ID) {
	k, _ := a.Find(name)
	copy(id[:], k.Data)
	return id
}

func (a Atom) addr() netip.Addr {
	b := slices.Clone(a.Data)
	slices.Reverse(b)
	ip, _ := netip.AddrFromSlice(b)
	return ip
}

// Read reads an atom.
func Read(r io.Reader) (Atom, error) {
	left := mostRead
	return read(r, &left)
}

func read(r io.Reader, left *int) (a Atom, err error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return a, err
	}
	end := slices.Index(head[:4], 0)
	if end < 0 {
		end = 4
	}
	a.Name = string(head[:end])
	v := binary.LittleEndian.Uint32(head[4:])
	if a.Parent = v&(1<<31) != 0; a.Parent {
		for range v &^ (1 << 31) {
			if *left -= len(head); *left < 0 {
				return a, fmt.Errorf("an atom of more than %d bytes", mostRead)
			}
			k, err := read(r, left)
			if err != nil {
				return a, err
			}
			a.Kids = append(a.Kids, k)
		}
		return a, nil
	}
	if *left -= int(v); *left < 0 {
		return a, fmt.Errorf("an atom of more than %d bytes", mostRead)
	}
	a.Data = make([]byte, v)
	_, err = io.ReadFull(r, a.Data)
	return a, err
}
