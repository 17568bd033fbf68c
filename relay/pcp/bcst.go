package pcp

import (
	"net/netip"
	"time"
)

// Groups to whom a bcst goes.
const (
	ToRoot     = 1
	ToTrackers = 2
	ToRelays   = 4
)

// Bcst is what is said to many: of a channel, or of a host that has it.
type Bcst struct {
	Group, Hops, TTL byte
	From, Dest       ID // sessions; Dest is zero for all
	Channel          ID
	Version          uint32
	// What it says; any of them may be missing.
	Chan *Chan
	Host *Host
	Push *Push
	Root *Root
}

// Append appends the atom.
func (m Bcst) Append(b []byte) []byte {
	p := begin(b, NameBcst)
	p.char(nameGrp, m.Group)
	p.char(nameHops, m.Hops)
	p.char(nameTTL, m.TTL)
	p.id(nameFrom, m.From)
	p.id(nameDest, m.Dest)
	p.int(nameVers, m.Version)
	p.int(nameVrvp, versionVP)
	p.id(nameCid, m.Channel)
	if m.Chan != nil {
		p.atom(m.Chan.Append)
	}
	if m.Host != nil {
		p.atom(m.Host.Append)
	}
	return p.end()
}

// ParseBcst reads a bcst. A host in it without a channel has the bcst's.
func ParseBcst(a Atom) (m Bcst, err error) {
	if a.Name != NameBcst {
		return m, &Error{Why: Unknown, Name: a.Name}
	}
	err = a.fields(map[Name]any{
		nameGrp: &m.Group, nameHops: &m.Hops, nameTTL: &m.TTL, nameFrom: &m.From, nameDest: &m.Dest, nameVers: &m.Version, nameCid: &m.Channel,
	})
	if err != nil {
		return Bcst{}, err
	}
	for c := range a.Children() {
		switch c.Name {
		case NameChan:
			v, err := ParseChan(c)
			if err != nil {
				return Bcst{}, err
			}
			m.Chan = &v
		case NameHost:
			v, err := ParseHost(c)
			if err != nil {
				return Bcst{}, err
			}
			if v.Channel == (ID{}) {
				v.Channel = m.Channel
			}
			m.Host = &v
		case NamePush:
			v, err := ParsePush(c)
			if err != nil {
				return Bcst{}, err
			}
			m.Push = &v
		case NameRoot:
			v, err := ParseRoot(c)
			if err != nil {
				return Bcst{}, err
			}
			m.Root = &v
		}
	}
	return m, nil
}

// Push asks a host that cannot be dialled to dial somebody.
type Push struct {
	To      netip.AddrPort
	Channel ID
}

// ParsePush reads a push.
func ParsePush(a Atom) (v Push, err error) {
	if a.Name != NamePush {
		return v, &Error{Why: Unknown, Name: a.Name}
	}
	var ip netip.Addr
	var port uint16
	err = a.fields(map[Name]any{nameIP: &ip, namePort: &port, nameCid: &v.Channel})
	v.To = dialled(ip, port)
	return v, err
}

// Root is what an index of channels says to those who announce theirs.
type Root struct {
	Every  time.Duration // how often to announce; 0 if it does not say
	Update bool          // announce now
}

// ParseRoot reads a root.
func ParseRoot(a Atom) (v Root, err error) {
	if a.Name != NameRoot {
		return v, &Error{Why: Unknown, Name: a.Name}
	}
	var every uint32
	if err := a.fields(map[Name]any{nameUint: &every}); err != nil {
		return v, err
	}
	v.Every = time.Duration(every) * time.Second
	for c := range a.Children() {
		v.Update = v.Update || c.Name == nameUpd
	}
	return v, nil
}
