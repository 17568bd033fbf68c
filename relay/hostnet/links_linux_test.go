package hostnet

import (
	"encoding/binary"
	"net/netip"
	"reflect"
	"syscall"
	"testing"
)

// message is a message of the kernel's with one fixed part and attributes.
func message(kind uint16, head []byte, attrs ...[]byte) []byte {
	body := head
	for _, a := range attrs {
		body = append(body, a...)
	}
	b := binary.NativeEndian.AppendUint32(nil, uint32(syscall.SizeofNlMsghdr+len(body)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	return append(append(b, make([]byte, 10)...), body...)
}

func attrOf(kind uint16, value []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(syscall.SizeofRtAttr+len(value)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func word(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

func linkHead(index int, flags uint32) []byte {
	b := make([]byte, syscall.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	binary.NativeEndian.PutUint32(b[8:], flags)
	return b
}

func ofKind(name string) []byte {
	return attrOf(syscall.IFLA_LINKINFO, attrOf(infoKind, append([]byte(name), 0)))
}

func TestKernelTellsOfBridgesAndTunnels(t *testing.T) {
	const running = syscall.IFF_UP | syscall.IFF_RUNNING
	var b []byte
	for _, m := range [][]byte{
		message(syscall.RTM_NEWLINK, linkHead(2, running)),
		message(syscall.RTM_NEWLINK, linkHead(3, running), ofKind("bridge")), // has no member
		message(syscall.RTM_NEWLINK, linkHead(4, running), ofKind("bridge")),
		message(syscall.RTM_NEWLINK, linkHead(5, running), ofKind("veth"), attrOf(syscall.IFLA_MASTER, word(4))),
		message(syscall.RTM_NEWLINK, linkHead(6, syscall.IFF_UP), ofKind("bridge")),
		message(syscall.RTM_NEWLINK, linkHead(7, syscall.IFF_UP), attrOf(syscall.IFLA_MASTER|0x8000, word(6))),
		message(syscall.RTM_NEWLINK, linkHead(8, running), ofKind("wireguard")),
		message(syscall.RTM_NEWLINK, linkHead(9, running), ofKind("dummy")),
		message(syscall.RTM_NEWLINK, linkHead(10, syscall.IFF_UP)), // no cable
		message(syscall.RTM_NEWADDR, linkHead(11, running)),
		message(syscall.RTM_NEWLINK, linkHead(12, running)[:8]), // cut off
	} {
		b = append(b, m...)
	}
	want := map[int]link{
		2:  {up: true},
		3:  {inner: true, bridge: true},
		4:  {inner: true, bridge: true, up: true},
		5:  {joined: 4, up: true},
		6:  {inner: true, bridge: true},
		7:  {joined: 6},
		8:  {tunnel: true, up: true},
		9:  {inner: true, up: true},
		10: {},
	}
	if got := withNeighbours(parseLinks(b)); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestKernelTellsWhichAddressesDoNotLast(t *testing.T) {
	var b []byte
	addr := func(last byte) netip.Addr {
		a := netip.MustParseAddr("2001:db8::").As16()
		a[15] = last
		return netip.AddrFrom16(a)
	}
	for i, flags := range []uint32{
		syscall.IFA_F_PERMANENT,
		syscall.IFA_F_TEMPORARY,
		syscall.IFA_F_TEMPORARY | syscall.IFA_F_DEPRECATED,
		syscall.IFA_F_DEPRECATED,
		syscall.IFA_F_TENTATIVE,
		syscall.IFA_F_TENTATIVE | syscall.IFA_F_OPTIMISTIC,
		syscall.IFA_F_DADFAILED | syscall.IFA_F_PERMANENT,
		0x200 | syscall.IFA_F_TEMPORARY, // beyond the eight flags of the fixed part
	} {
		head := make([]byte, syscall.SizeofIfAddrmsg)
		head[0], head[2] = syscall.AF_INET6, byte(flags)
		binary.NativeEndian.PutUint32(head[4:], 2)
		b = append(b, message(syscall.RTM_NEWADDR, head, attrOf(syscall.IFA_ADDRESS, addr(byte(i)).AsSlice()), attrOf(addrFlags, word(flags)))...)
	}
	want := map[int]marks{2: {
		passing: []netip.Addr{addr(1), addr(7)},
		unfit:   []netip.Addr{addr(2), addr(3), addr(4), addr(6)},
	}}
	if got := parseMarks(b); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func FuzzKernelsAnswer(f *testing.F) {
	f.Add(message(syscall.RTM_NEWLINK, linkHead(3, 0), ofKind("bridge")))
	f.Add(message(syscall.RTM_NEWADDR, make([]byte, syscall.SizeofIfAddrmsg), attrOf(syscall.IFA_ADDRESS, make([]byte, 16))))
	f.Fuzz(func(_ *testing.T, b []byte) {
		withNeighbours(parseLinks(b))
		parseMarks(b)
	})
}

func TestThisMachinesInterfacesAreKnown(t *testing.T) {
	known := links()
	for _, i := range ifaces() {
		if i.name == "" || len(known) == 0 {
			t.Errorf("%+v of %v", i, known)
		}
	}
}
