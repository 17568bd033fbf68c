package hostnet

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"syscall"
)

// What package syscall lacks of rtnetlink(7) and netlink(7).
const (
	infoKind  = 1      // IFLA_INFO_KIND, within IFLA_LINKINFO
	addrFlags = 8      // IFA_FLAGS
	attrType  = 0x3fff // NLA_TYPE_MASK
)

// link is what the kernel tells of an interface beyond what package net has.
type link struct {
	tunnel bool // of a kind that VPNs use
	inner  bool // a bridge, or one without hardware
	bridge bool
	joined int  // index of the bridge that it is a member of, 0 if it is none
	up     bool // it has a carrier
}

// tunnelKinds are those of VPNs. Most have one other end, which package net tells too; an
// OpenVPN or ZeroTier of kind tap has not.
var tunnelKinds = []string{"tun", "wireguard", "ipip", "gre", "gretap", "sit", "ip6tnl", "ip6gre", "vti", "vti6", "xfrm"}

// innerKinds are those whose networks end in this machine, unless hardware is a member.
var innerKinds = []string{"bridge", "dummy"}

// links asks the kernel for all interfaces, by their index; nil if it does not tell.
func links() map[int]link {
	b, err := syscall.NetlinkRIB(syscall.RTM_GETLINK, syscall.AF_UNSPEC)
	if err != nil {
		return nil
	}
	return parseLinks(b)
}

// parseLinks reads the kernel's answer (rtnetlink(7)).
func parseLinks(b []byte) map[int]link {
	all := make(map[int]link)
	eachAttr(b, syscall.RTM_NEWLINK, syscall.SizeofIfInfomsg, func(head []byte, attrs []attr) {
		l := link{up: binary.NativeEndian.Uint32(head[8:])&syscall.IFF_RUNNING != 0}
		for _, a := range attrs {
			switch {
			case a.kind == syscall.IFLA_MASTER && len(a.value) >= 4:
				l.joined = int(binary.NativeEndian.Uint32(a.value))
			case a.kind == syscall.IFLA_LINKINFO:
				for _, info := range parseAttrs(a.value) {
					if info.kind == infoKind {
						kind := strings.TrimRight(string(info.value), "\x00")
						l.tunnel = slices.Contains(tunnelKinds, kind)
						l.inner, l.bridge = slices.Contains(innerKinds, kind), kind == "bridge"
					}
				}
			}
		}
		all[int(int32(binary.NativeEndian.Uint32(head[4:])))] = l
	})
	return all
}

// withNeighbours says of bridges whether they have a carrier: a member has one. The kernel
// says of one without members that it has.
func withNeighbours(all map[int]link) map[int]link {
	for i, l := range all {
		if !l.bridge {
			continue
		}
		l.up = false
		for _, m := range all {
			l.up = l.up || m.joined == i && m.up
		}
		all[i] = l
	}
	return all
}

// marks are the addresses of which the kernel says that they will not last, or that they
// cannot be used.
type marks struct{ passing, unfit []netip.Addr }

// marked asks the kernel for them, by the index of the interface.
func marked() map[int]marks {
	b, err := syscall.NetlinkRIB(syscall.RTM_GETADDR, syscall.AF_INET6)
	if err != nil {
		return nil
	}
	return parseMarks(b)
}

// parseMarks reads the kernel's answer.
func parseMarks(b []byte) map[int]marks {
	all := make(map[int]marks)
	eachAttr(b, syscall.RTM_NEWADDR, syscall.SizeofIfAddrmsg, func(head []byte, attrs []attr) {
		if head[0] != syscall.AF_INET6 {
			return
		}
		flags, index := uint32(head[2]), int(binary.NativeEndian.Uint32(head[4:]))
		var addr netip.Addr
		for _, a := range attrs {
			switch {
			case a.kind == addrFlags && len(a.value) >= 4:
				flags = binary.NativeEndian.Uint32(a.value)
			case a.kind == syscall.IFA_ADDRESS:
				addr, _ = netip.AddrFromSlice(a.value)
			}
		}
		m := all[index]
		switch {
		case !addr.IsValid():
			return
		case flags&(syscall.IFA_F_DEPRECATED|syscall.IFA_F_DADFAILED) != 0, flags&syscall.IFA_F_TENTATIVE != 0 && flags&syscall.IFA_F_OPTIMISTIC == 0:
			m.unfit = append(m.unfit, addr)
		case flags&syscall.IFA_F_TEMPORARY != 0:
			m.passing = append(m.passing, addr)
		default:
			return
		}
		all[index] = m
	})
	return all
}

// attr is one attribute of a message of the kernel's.
type attr struct {
	kind  uint16
	value []byte
}

// eachAttr calls f with the fixed part, of at least size bytes, and the attributes of each
// message of one type. It ends at what makes no sense.
func eachAttr(b []byte, kind uint16, size int, f func(head []byte, attrs []attr)) {
	messages, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return
	}
	for _, m := range messages {
		if m.Header.Type == kind && len(m.Data) >= size {
			f(m.Data[:size], parseAttrs(m.Data[size:]))
		}
	}
}

// parseAttrs reads attributes: a length with these four bytes, a type, the value, and
// what fills up to four bytes.
func parseAttrs(b []byte) []attr {
	var all []attr
	for len(b) >= syscall.SizeofRtAttr {
		n := int(binary.NativeEndian.Uint16(b))
		if n < syscall.SizeofRtAttr || n > len(b) {
			return all
		}
		all = append(all, attr{binary.NativeEndian.Uint16(b[2:]) & attrType, b[syscall.SizeofRtAttr:n]})
		b = b[min(len(b), (n+3)&^3):]
	}
	return all
}
