package pcp

import "net/netip"

// Flags of a host (flg1).
const (
	Tracker    = 0x01 // it is the channel's source
	RelayFree  = 0x02 // it takes another one who relays
	DirectFree = 0x04 // it takes another player
	Firewalled = 0x08 // it cannot be dialled
	Receiving  = 0x10 // without this flag a reader forgets the host
	ControlIn  = 0x20 // it takes another connection without a channel
)

// Host is what a PeerCast says about itself, or about another one.
type Host struct {
	Channel, Session  ID
	Global, Local     netip.AddrPort // where it is dialled from outside, and in its own network
	Listeners, Relays uint32         // players and PeerCasts that it serves
	Uptime            uint32         // of its channel, in seconds
	Version           uint32
	Flags             byte
	Oldest, Newest    uint32         // positions that it has
	Upstream          netip.AddrPort // from whom it has the channel, if it says so
	UpstreamHops      uint32         // and how far that is from the tracker
}

// versionVP is what peercast-yt writes for the version of the extensions that all have today.
const versionVP = 27

// Append appends the atom.
func (h Host) Append(b []byte) []byte {
	p := begin(b, NameHost)
	p.id(nameCid, h.Channel)
	p.id(nameID, h.Session)
	p.addr(nameIP, h.Global.Addr())
	p.short(namePort, h.Global.Port())
	p.addr(nameIP, h.Local.Addr())
	p.short(namePort, h.Local.Port())
	p.int(nameNuml, h.Listeners)
	p.int(nameNumr, h.Relays)
	p.int(nameUptm, h.Uptime)
	p.int(nameVer, h.Version)
	p.int(nameVevp, versionVP)
	p.char(nameFlg1, h.Flags)
	p.int(nameOldp, h.Oldest)
	p.int(nameNewp, h.Newest)
	if h.Upstream.IsValid() {
		p.addr(nameUpip, h.Upstream.Addr())
		p.int(nameUppt, uint32(h.Upstream.Port()))
		p.int(nameUphp, h.UpstreamHops)
	}
	return p.end()
}

// ParseHost reads a host. The first ip and port are those from outside, the second the local
// ones, as far as they are there: an address that is none gives the zero AddrPort.
func ParseHost(a Atom) (h Host, err error) {
	if a.Name != NameHost {
		return h, &Error{Why: Unknown, Name: a.Name}
	}
	if !a.parent {
		return h, &Error{Why: Size, Name: a.Name}
	}
	var ip, up netip.Addr
	var port uint16
	var upPort uint32
	to := map[Name]any{
		nameCid: &h.Channel, nameID: &h.Session, nameNuml: &h.Listeners, nameNumr: &h.Relays, nameUptm: &h.Uptime, nameVer: &h.Version,
		nameFlg1: &h.Flags, nameOldp: &h.Oldest, nameNewp: &h.Newest, nameIP: &ip, namePort: &port, nameUpip: &up, nameUppt: &upPort, nameUphp: &h.UpstreamHops,
	}
	ports := 0
	for c := range a.Children() {
		at, ok := to[c.Name]
		if !ok {
			continue
		}
		if err := c.into(at); err != nil {
			return Host{}, err
		}
		if c.Name == namePort {
			switch ports++; ports {
			case 1:
				h.Global = dialled(ip, port)
			case 2:
				h.Local = dialled(ip, port)
			}
			ip = netip.Addr{}
		}
	}
	if upPort <= 0xffff {
		h.Upstream = dialled(up, uint16(upPort))
	}
	return h, nil
}

// dialled is an address that can be one: neither unspecified nor multicast, and with a port.
func dialled(ip netip.Addr, port uint16) netip.AddrPort {
	if !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || port == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, port)
}
