package ingest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"time"

	"go.uber.org/zap"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"relay/ingest/flv"
	"relay/ingest/mpegts"
	"relay/relay/hostnet"
)

const (
	// udpBuffer is what the system is asked to hold of datagrams that wait to be read, in bytes: more
	// than a second at 20 Mb/s. It may give less.
	udpBuffer = 4 << 20
	// udpLook is how often it is looked whether something comes, and whether there are new
	// interfaces, where nothing comes.
	udpLook = 2 * time.Second
	// udpAgain is the pause after an error of reading.
	udpAgain = 10 * time.Millisecond
)

// UDPAddr is where MPEG-TS comes in over UDP.
type UDPAddr struct {
	netip.AddrPort     // a group, an address of this machine, or one that is not specified
	Program        int // of the stream; 0 for the first
}

// ErrUDPAddr says what is wrong with an address of UDP.
var (
	ErrUDPAddr    = errors.New("an address of UDP has a port, and in front of it nothing, a group or an address of this machine: udp://:1234, udp://239.1.1.1:1234")
	ErrUDPProgram = errors.New("a program of MPEG-TS has a number from 1 to 65535")
)

// ParseUDP reads udp://239.1.1.1:1234 or udp://:1234, also with @ in front of the address, as VLC has
// it, and with ?program=N.
func ParseUDP(u *url.URL) (UDPAddr, error) {
	var a UDPAddr
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 || u.Path != "" && u.Path != "/" {
		return a, ErrUDPAddr
	}
	ip := netip.IPv6Unspecified()
	if h := u.Hostname(); h != "" {
		if ip, err = netip.ParseAddr(h); err != nil {
			return a, ErrUDPAddr
		}
	}
	a.AddrPort = netip.AddrPortFrom(ip.Unmap(), uint16(port))
	if q := u.Query().Get(programQuery); q != "" {
		n, err := strconv.ParseUint(q, 10, 16)
		if err != nil || n == 0 {
			return a, ErrUDPProgram
		}
		a.Program = int(n)
	}
	return a, nil
}

// UDP takes MPEG-TS in datagrams, with heads of RTP or without, from one sender at a time. Who that
// is, its address says, which anybody can forge: whoever reaches the port may send.
type UDP struct {
	Addr UDPAddr
	Name string // as people write it
	Open Opener
	Log  *zap.Logger // nil for none
}

// Run takes what comes until ctx ends, and then returns nil. That nothing comes, or nothing that can
// be sent, is no error: it is told, and waited for.
func (u *UDP) Run(ctx context.Context) error {
	conn, err := listenUDP(u.Addr.AddrPort)
	if err != nil {
		return fmt.Errorf("listen at %s: %w", u.Name, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	_ = conn.SetReadBuffer(udpBuffer) // what the system allows
	join := joiner(conn, u.Addr.Addr())
	if err := join(); err != nil {
		return fmt.Errorf("join %s: %w", u.Name, err)
	}
	in := newDatagrams(u)
	defer in.close()
	buf, oob := make([]byte, 64<<10), make([]byte, 256)
	for {
		conn.SetReadDeadline(time.Now().Add(udpLook))
		n, control, _, from, err := conn.ReadMsgUDPAddrPort(buf, oob)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			in.silent(time.Now())
			_ = join() // a cable may have been plugged in
			continue
		case err != nil && !errors.Is(err, net.ErrClosed):
			_ = sleep(ctx, udpAgain) // an error of one datagram, as Windows tells of its own
			continue
		case err != nil:
			return err
		}
		if err := in.take(time.Now(), udpSender{from, arrival(u.Addr.Addr(), oob[:control])}, buf[:n]); err != nil {
			return err
		}
	}
}

func listenUDP(a netip.AddrPort) (*net.UDPConn, error) {
	addr := net.UDPAddrFromAddrPort(a)
	if a.Addr().IsMulticast() {
		return net.ListenMulticastUDP("udp", nil, addr) // others on this machine may listen too
	}
	return net.ListenUDP("udp", addr)
}

// joiner returns what joins a group on all interfaces, again where that was done. It does nothing for
// an address that is no group.
func joiner(conn *net.UDPConn, group netip.Addr) func() error {
	if !group.IsMulticast() {
		return func() error { return nil }
	}
	// Where these flags cannot be had (on Windows), copies by two interfaces cannot be told apart.
	if group.Is4() {
		_ = ipv4.NewPacketConn(conn).SetControlMessage(ipv4.FlagInterface, true)
	} else {
		_ = ipv6.NewPacketConn(conn).SetControlMessage(ipv6.FlagInterface, true)
	}
	to := net.UDPAddrFromAddrPort(netip.AddrPortFrom(group, 0))
	joined := make(map[int]bool)
	return func() error {
		devices, err := hostnet.Devices()
		if err != nil {
			return err
		}
		for _, d := range devices {
			if joined[d.Index] {
				continue
			}
			if group.Is4() {
				err = ipv4.NewPacketConn(conn).JoinGroup(&d.Interface, to)
			} else {
				err = ipv6.NewPacketConn(conn).JoinGroup(&d.Interface, to)
			}
			joined[d.Index] = err == nil
		}
		return nil // on the system's own choice it was joined when it was opened
	}
}

// udpSender is whose datagrams are taken, and by which interface: two in one network each bring a
// copy of what goes to a group.
type udpSender struct {
	netip.AddrPort
	ifIndex int // 0 if it is not known
}

// arrival is the index of the interface by which a datagram to a group came in.
func arrival(group netip.Addr, oob []byte) int {
	var v4 ipv4.ControlMessage
	var v6 ipv6.ControlMessage
	switch {
	case !group.IsMulticast():
	case group.Is4() && v4.Parse(oob) == nil:
		return v4.IfIndex
	case group.Is6() && v6.Parse(oob) == nil:
		return v6.IfIndex
	}
	return 0
}

// datagrams are what comes to one port.
type datagrams struct {
	payloads // whose demux is nil while nobody sends
	open     Opener
	from     udpSender // who sends
	heard    time.Time // when it last did
	began    time.Time // when it was begun to listen
	waits    bool      // it was told that nothing comes
	session  *Session
	others   bool // it was told that there are others
}

func newDatagrams(u *UDP) *datagrams {
	return &datagrams{payloads: payloads{origin: newOrigin(u.Name, u.Addr.Program, u.Log)}, open: u.Open, began: time.Now()}
}

// take takes a datagram. An error is of this side.
func (d *datagrams) take(now time.Time, from udpSender, b []byte) error {
	packets := packetsIn(b)
	if packets == nil {
		if d.session == nil || from == d.from {
			d.cannot(errNoTS)
		}
		return nil
	}
	if from != d.from || d.demux == nil {
		if d.demux != nil && now.Sub(d.heard) < takeoverAfter {
			if !d.others && from.AddrPort != d.from.AddrPort {
				d.others = true
				d.log.Warn("another sends to the same port", zap.String("from", d.name), zap.String("other", from.String()), zap.String("first", d.from.String()))
			}
			return nil
		}
		d.close()
		d.from, d.demux, d.others = from, mpegts.NewDemuxer(d.program, d.told), false
	}
	d.heard, d.waits = now, false
	return d.payloads.take(packets, d.write)
}

func (d *datagrams) write(t flv.Tag) error {
	if d.session == nil {
		s, err := d.open()
		if err != nil {
			return err
		}
		d.session, d.unfit = s, ""
	}
	return d.session.Write(t)
}

// silent looks whether anybody has sent something lately.
func (d *datagrams) silent(now time.Time) {
	since := d.began
	if d.demux != nil {
		since = d.heard
	}
	if now.Sub(since) < silence {
		return
	}
	d.close()
	if !d.waits {
		d.waits = true
		d.log.Warn("nothing is sent there", zap.String("from", d.name))
	}
}

// close ends the session.
func (d *datagrams) close() {
	if d.session != nil {
		d.session.Close()
	}
	if d.demux != nil {
		d.count(d.demux.Stats())
	}
	d.session, d.demux = nil, nil
}
