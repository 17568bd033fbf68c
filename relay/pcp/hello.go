package pcp

import "net/netip"

// Version is the version that we say we are: 1.2.18, as peercast-yt does. Below LeastVersion
// nobody is spoken to.
const (
	Version      = 1218
	LeastVersion = 1200
)

// What a connection is opened with, over IPv4 and IPv6: the value of the atom pcp\n, and of the
// line x-peercast-pcp.
const (
	Over4 = 1
	Over6 = 100
)

// Over returns which of the two a connection to or from an address has.
func Over(a netip.Addr) uint32 {
	if a.Unmap().Is6() {
		return Over6
	}
	return Over4
}

// AppendConnect appends the atom pcp\n, which opens a connection without HTTP.
func AppendConnect(b []byte, over uint32) []byte { return appendInt(b, NameConnect, over) }

// ParseConnect returns the value of an atom pcp\n.
func ParseConnect(a Atom) (over uint32, err error) {
	if a.Name != NameConnect {
		return 0, &Error{Why: Unknown, Name: a.Name}
	}
	return over, a.into(&over)
}

// Helo is what who dials says first.
type Helo struct {
	Agent   string
	Version uint32
	Session ID
	// Port is where it can be dialled, as it knows; Ping where it asks to be dialled to find
	// out. At most one of them is not 0.
	Port, Ping uint16
	Broadcast  ID // only towards an index of channels
}

// Append appends the atom.
func (h Helo) Append(b []byte) []byte {
	p := begin(b, NameHelo)
	p.text(nameAgnt, h.Agent)
	p.int(nameVer, h.Version)
	p.id(nameSid, h.Session)
	if h.Port != 0 {
		p.short(namePort, h.Port)
	}
	if h.Ping != 0 {
		p.short(namePing, h.Ping)
	}
	p.id(nameBcid, h.Broadcast)
	return p.end()
}

// ParseHelo reads a helo. Without a session there is none.
func ParseHelo(a Atom) (h Helo, err error) {
	if a.Name != NameHelo {
		return h, &Error{Why: Unknown, Name: a.Name}
	}
	err = a.fields(map[Name]any{
		nameAgnt: &h.Agent, nameVer: &h.Version, nameSid: &h.Session, namePort: &h.Port, namePing: &h.Ping, nameBcid: &h.Broadcast,
	})
	if err == nil && h.Session == (ID{}) {
		err = &Error{Why: Missing, Name: nameSid}
	}
	return h, err
}

// Oleh answers a helo.
type Oleh struct {
	Agent   string
	Session ID
	Version uint32
	Remote  netip.Addr // of who said helo, as seen
	Port    uint16     // where it can be dialled, as was found out or believed; 0 if it cannot
}

// Append appends the atom.
func (o Oleh) Append(b []byte) []byte {
	p := begin(b, NameOleh)
	p.text(nameAgnt, o.Agent)
	p.id(nameSid, o.Session)
	p.int(nameVer, o.Version)
	p.addr(nameRip, o.Remote)
	p.short(namePort, o.Port)
	return p.end()
}

// ParseOleh reads an oleh. Without a session there is none.
func ParseOleh(a Atom) (o Oleh, err error) {
	if a.Name != NameOleh {
		return o, &Error{Why: Unknown, Name: a.Name}
	}
	err = a.fields(map[Name]any{nameAgnt: &o.Agent, nameSid: &o.Session, nameVer: &o.Version, nameRip: &o.Remote, namePort: &o.Port})
	if err == nil && o.Session == (ID{}) {
		err = &Error{Why: Missing, Name: nameSid}
	}
	return o, err
}

// AppendOK appends the atom ok, which comes behind oleh. Nobody looks at its value.
func AppendOK(b []byte) []byte { return appendInt(b, NameOK, 1) }
