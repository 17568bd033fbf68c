package doctor

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestListenersAreReadFromTheTable(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1BE8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0
   1: 0100007F:1BE9 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100 0 0 10 0
   2: 00000000000000000000000000000000:1BE8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 333 1 0
   3: 0100007F:1BEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 0 1 0 100 0 0 10 0
   4: 0100007F:ZZZZ 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 444 1 0 100 0 0 10 0
   5: 0100007F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 555 1 0 100 0 0 10 0
   6: 0100007F:1BE8 00000000:0000 0A
`
	got := listeners(strings.NewReader(table), "0A")
	if len(got) != 1 || !slices.Equal(got[7144], []string{"111", "333"}) {
		t.Errorf("%v", got)
	}
}

// This very process holds a port, over TCP and over UDP.
func TestOwnPortsAreFoundToBeOwn(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	packet, err := net.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer packet.Close()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ports := []portUse{
		{Port: Port{Proto: "TCP", Number: ln.Addr().(*net.TCPAddr).Port}, err: net.ErrClosed},
		{Port: Port{Proto: "UDP", Number: packet.LocalAddr().(*net.UDPAddr).Port}, err: net.ErrClosed},
		{Port: Port{Proto: "TCP", Number: 1}, err: net.ErrClosed},
	}
	fillOwners(ports)
	want := owner{os.Getpid(), filepath.Base(exe)}
	for _, p := range ports[:2] {
		if p.owner != want {
			t.Errorf("%s port %d is %v's, want %v", p.Proto, p.Number, p.owner, want)
		}
	}
	if ports[2].owner != (owner{}) {
		t.Errorf("a free port is %v's", ports[2].owner)
	}
}
