package rtspout

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

const (
	// burst is how many bytes are sent in burstTime at most, 105 Mb/s: what comes at once at a start would overflow the
	// buffers of players, which hold some 200 KB.
	burst, burstTime = 64 << 10, 5 * time.Millisecond
	// tries is how often two ports in a row are looked for.
	tries = 32
)

var errNoPorts = errors.New("there are no two UDP ports in a row")

// datagrams is a player's connection by which packets with a channel in front go out by UDP, to the address from which
// the connection comes, and all else goes into the connection itself.
type datagrams struct {
	net.Conn
	sockets [4]*net.UDPConn // by channel
	part    []byte          // of a packet
	sent    int             // in the burst that began then
	began   time.Time
}

// open opens the sockets of a channel and the next, for a player's ports, and returns the first one's.
func (d *datagrams) open(channel int, t transport) (port int, err error) {
	from, ok1 := d.Conn.LocalAddr().(*net.TCPAddr)
	to, ok2 := d.Conn.RemoteAddr().(*net.TCPAddr)
	if !ok1 || !ok2 {
		return 0, errNoPorts
	}
	socket := func(port int, theirs uint16) (*net.UDPConn, error) {
		return net.DialUDP("udp", &net.UDPAddr{IP: from.IP, Zone: from.Zone, Port: port}, &net.UDPAddr{IP: to.IP, Zone: to.Zone, Port: int(theirs)})
	}
	for range tries {
		rtp, err := socket(0, t.rtp)
		if err != nil {
			return 0, err
		}
		port := rtp.LocalAddr().(*net.UDPAddr).Port
		if port%2 == 0 {
			if rtcp, err := socket(port+1, t.rtcp); err == nil {
				d.sockets[channel], d.sockets[channel+1] = rtp, rtcp
				return port, nil
			}
		}
		rtp.Close()
	}
	return 0, errNoPorts
}

func (d *datagrams) close() {
	for _, s := range d.sockets {
		if s != nil {
			s.Close()
		}
	}
}

// listen reads what the player sends to the sockets, until they are closed; only that something comes is of interest.
func (d *datagrams) listen(wg *sync.WaitGroup, heard func()) {
	for _, s := range d.sockets {
		if s == nil {
			continue
		}
		wg.Go(func() {
			b := make([]byte, 1)
			for {
				if _, err := s.Read(b); errors.Is(err, net.ErrClosed) {
					return
				} else if err == nil {
					heard()
				} else if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.EMSGSIZE) { // Windows says so of what is longer
					return
				}
			}
		})
	}
}

// Write takes bytes as a player by TCP would get them, cut anywhere. A player that has no such port open has gone.
func (d *datagrams) Write(b []byte) (int, error) {
	if len(d.part) == 0 && len(b) > 0 && b[0] != '$' {
		return d.Conn.Write(b)
	}
	d.part = append(d.part, b...)
	for len(d.part) >= 4 {
		n := 4 + int(binary.BigEndian.Uint16(d.part[2:]))
		if len(d.part) < n {
			break
		}
		if err := d.send(d.part[1], d.part[4:n]); err != nil {
			return 0, err
		}
		d.part = d.part[:copy(d.part, d.part[n:])]
	}
	return len(b), nil
}

func (d *datagrams) send(channel byte, packet []byte) error {
	if int(channel) >= len(d.sockets) || d.sockets[channel] == nil {
		return nil
	}
	if now := time.Now(); now.Sub(d.began) >= burstTime {
		d.began, d.sent = now, 0
	} else if d.sent >= burst {
		time.Sleep(burstTime - now.Sub(d.began))
		d.began, d.sent = time.Now(), 0
	}
	d.sent += len(packet)
	// Only of packets: some players never open the port of reports.
	if _, err := d.sockets[channel].Write(packet); channel%2 == 0 && errors.Is(err, syscall.ECONNREFUSED) {
		return net.ErrClosed
	}
	return nil
}
