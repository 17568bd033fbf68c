package pcp

import (
	"bytes"
	"encoding/binary"
	"iter"
	"net/netip"
	"slices"

	"relay/relay/oneline"
)

// headLen is the length of an atom's head: name and length.
const headLen = 8

// parentBit of a length says that it counts children.
const parentBit = 1 << 31

// Name is an atom's name, filled up with zero bytes.
type Name [4]byte

func name(s string) (n Name) {
	copy(n[:], s)
	return n
}

// String returns the name, with what cannot be shown escaped.
func (n Name) String() string { return oneline.Quote(string(bytes.TrimRight(n[:], "\x00"))) }

// Names of atoms that come at the top.
var (
	NameConnect = name("pcp\n")
	NameHelo    = name("helo")
	NameOleh    = name("oleh")
	NameOK      = name("ok")
	NameQuit    = name("quit")
	NameChan    = name("chan")
	NameHost    = name("host")
	NameBcst    = name("bcst")
	NamePush    = name("push")
	NameRoot    = name("root")
	NameMesg    = name("mesg")
)

// top are the atoms that may come at the top. Any other one ends a connection, here as in
// peercast-yt.
var top = []Name{
	NameConnect, NameHelo, NameOleh, NameOK, NameQuit, NameChan, NameHost, NameBcst, NamePush, NameRoot, NameMesg,
}

// Names of atoms inside others.
var (
	nameAgnt, nameVer, nameSid, namePort, namePing, nameBcid, nameRip = name("agnt"), name("ver"), name("sid"), name("port"), name("ping"), name("bcid"), name("rip")

	nameID, nameKey, nameInfo, nameTrck, namePkt                                                              = name("id"), name("key"), name("info"), name("trck"), name("pkt")
	nameName, nameBitr, nameGnre, nameURL, nameDesc, nameCmnt, nameType, nameStyp, nameSext                   = name("name"), name("bitr"), name("gnre"), name("url"), name("desc"), name("cmnt"), name("type"), name("styp"), name("sext")
	nameTitl, nameCrea, nameAlbm                                                                              = name("titl"), name("crea"), name("albm")
	namePos, nameCont, nameData, nameHead                                                                     = name("pos"), name("cont"), name("data"), name("head")
	nameCid, nameIP, nameNuml, nameNumr, nameUptm, nameFlg1, nameOldp, nameNewp, nameUpip, nameUppt, nameUphp = name("cid"), name("ip"), name("numl"), name("numr"), name("uptm"), name("flg1"), name("oldp"), name("newp"), name("upip"), name("uppt"), name("uphp")
	nameGrp, nameHops, nameTTL, nameFrom, nameDest, nameVers, nameVrvp, nameVevp                              = name("grp"), name("hops"), name("ttl"), name("from"), name("dest"), name("vers"), name("vrvp"), name("vevp")
	nameUint, nameUpd                                                                                         = name("uint"), name("upd")
)

// Atom is one atom as a [Reader] has checked it. It is a view of the reader's memory: good until
// the next call of Next.
type Atom struct {
	Name   Name
	parent bool
	kids   int
	body   []byte // the children with their heads, or data
}

// Parent reports whether the atom has children, or room for them, and no data.
func (a Atom) Parent() bool { return a.parent }

// Data returns the atom's data; nil if it is a parent.
func (a Atom) Data() []byte {
	if a.parent {
		return nil
	}
	return a.body
}

// Children returns the atom's children in their order.
func (a Atom) Children() iter.Seq[Atom] {
	return func(yield func(Atom) bool) {
		for b, n := a.body, a.kids; n > 0; n-- {
			child, rest := first(b)
			if b = rest; !yield(child) {
				return
			}
		}
	}
}

// first returns the atom that checked bytes begin with, and what follows it.
func first(b []byte) (Atom, []byte) {
	n, v := head(b)
	b = b[headLen:]
	if v&parentBit == 0 {
		return Atom{Name: n, body: b[:v]}, b[v:]
	}
	kids := int(v &^ parentBit)
	end := 0
	for left := kids; left > 0; left-- {
		_, v := head(b[end:])
		if end += headLen; v&parentBit != 0 {
			left += int(v &^ parentBit)
		} else {
			end += int(v)
		}
	}
	return Atom{Name: n, parent: true, kids: kids, body: b[:end]}, b[end:]
}

func head(b []byte) (Name, uint32) { return Name(b[:4]), binary.LittleEndian.Uint32(b[4:]) }

// fixed returns data that must have size bytes.
func (a Atom) fixed(size int) ([]byte, error) {
	if a.parent || len(a.body) != size {
		return nil, &Error{Why: Size, Name: a.Name}
	}
	return a.body, nil
}

// into sets what to points to: an integer or ID of exactly its size, or a text.
func (a Atom) into(to any) error {
	switch to := to.(type) {
	case *uint32:
		b, err := a.fixed(4)
		if err == nil {
			*to = binary.LittleEndian.Uint32(b)
		}
		return err
	case *uint16:
		b, err := a.fixed(2)
		if err == nil {
			*to = binary.LittleEndian.Uint16(b)
		}
		return err
	case *byte:
		b, err := a.fixed(1)
		if err == nil {
			*to = b[0]
		}
		return err
	case *ID:
		b, err := a.fixed(len(to))
		if err == nil {
			*to = ID(b)
		}
		return err
	case *Name:
		b, err := a.fixed(len(to))
		if err == nil {
			*to = Name(b)
		}
		return err
	case *netip.Addr:
		return a.addr(to)
	case *string:
		if a.parent {
			return &Error{Why: Size, Name: a.Name}
		}
		text, _, _ := bytes.Cut(a.body, []byte{0})
		*to = Clean(string(text))
		return nil
	}
	panic("no such field")
}

// addr reads an IP address: an integer of 4 bytes, or the 16 of IPv6 reversed.
func (a Atom) addr(to *netip.Addr) error {
	switch {
	case a.parent, len(a.body) != 4 && len(a.body) != 16:
		return &Error{Why: Size, Name: a.Name}
	}
	b := slices.Clone(a.body)
	slices.Reverse(b)
	addr, _ := netip.AddrFromSlice(b)
	*to = addr.Unmap()
	return nil
}

// fields reads children into what their names stand for; what is unknown is skipped.
func (a Atom) fields(to map[Name]any) error {
	if !a.parent {
		return &Error{Why: Size, Name: a.Name}
	}
	for c := range a.Children() {
		if at, ok := to[c.Name]; ok {
			if err := c.into(at); err != nil {
				return err
			}
		}
	}
	return nil
}

// MaxText is the most bytes of a text: what peercast-yt keeps of one.
const MaxText = 255

// Clean makes of a stranger's text, or of ours for strangers, one line of at most MaxText bytes of UTF-8.
func Clean(s string) string {
	if len(s) > 4*MaxText { // cleaning looks at no more than that
		s = s[:4*MaxText]
	}
	s = oneline.Clean(s, MaxText)
	if len(s) <= MaxText {
		return s
	}
	end := MaxText
	for end > 0 && s[end]&0xc0 == 0x80 {
		end--
	}
	return oneline.Clean(s[:end], MaxText)
}
