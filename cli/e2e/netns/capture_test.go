//go:build e2e && linux

package netns

import (
	"bytes"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// captureQueue is how many bytes of packets the kernel keeps for a capture whose turn does not come:
	// many seconds of a channel.
	captureQueue = 64 << 20
	// packetMost is longer than any packet between namespaces, which may be cut into the line's only by a
	// network card.
	packetMost = 256 << 10
)

// capture is all that passes an interface, both ways, with the headers of links and networks.
type capture struct {
	of     string // the host's name
	nic    string
	socket *os.File
	ended  chan struct{}
	got    bytes.Buffer // owned by the reader until ended
}

// capture begins to keep what passes an interface.
func (s *space) capture(t *testing.T, of, nic string) *capture {
	t.Helper()
	c := &capture{of: of, nic: nic, ended: make(chan struct{})}
	must(t, s.do(func() error {
		i, err := net.InterfaceByName(nic)
		if err != nil {
			return err
		}
		// Without a protocol it gets nothing before it is bound, as of other interfaces.
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		c.socket = os.NewFile(uintptr(fd), c.name())
		return errors.Join(
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, captureQueue),
			unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8, Ifindex: i.Index}),
		)
	}))
	t.Cleanup(func() { c.socket.Close() })
	go func() { // ends at the deadline, or when the socket is closed
		defer close(c.ended)
		packet := make([]byte, packetMost)
		for {
			n, err := c.socket.Read(packet)
			if err != nil {
				return
			}
			c.got.Write(packet[:n])
		}
	}()
	return c
}

// name tells captures apart.
func (c *capture) name() string { return c.of + "'s " + c.nic }

// end ends the capture and returns it, with what has passed by now. It fails if it has missed packets.
func (c *capture) end(t *testing.T) []byte {
	t.Helper()
	must(t, c.socket.SetReadDeadline(time.Now()))
	<-c.ended
	raw, err := c.socket.SyscallConn()
	must(t, err)
	var stats *unix.TpacketStats
	must(t, errors.Join(raw.Control(func(fd uintptr) {
		packet := make([]byte, packetMost)
		for { // what waits in the queue
			var n int
			if n, err = unix.Read(int(fd), packet); err != nil {
				break
			}
			c.got.Write(packet[:n])
		}
		stats, err = unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS)
	}), err))
	if stats.Drops > 0 {
		t.Errorf("the capture at %s has missed %d of %d packets", c.name(), stats.Drops, stats.Packets)
	}
	c.socket.Close()
	return c.got.Bytes()
}
