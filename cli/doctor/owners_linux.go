package doctor

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// These are the tables of sockets in /proc/net, and the states of listeners in them
// (include/net/tcp_states.h): LISTEN, or CLOSE for UDP, which has no state of its own for it.
var socketTables = []struct{ file, proto, state string }{
	{"/proc/net/tcp", "TCP", "0A"},
	{"/proc/net/tcp6", "TCP", "0A"},
	{"/proc/net/udp", "UDP", "07"},
	{"/proc/net/udp6", "UDP", "07"},
}

// maxSockets bounds how many sockets of one table are read. A machine that runs a relay has
// fewer.
const maxSockets = 1 << 20

// fillOwners finds the programs that hold the ports that are taken. The system does not tell
// about other users' programs.
func fillOwners(ports []portUse) {
	wanted := make(map[string]*portUse) // by the socket's inode
	for _, t := range socketTables {
		f, err := os.Open(t.file)
		if err != nil {
			continue // IPv6 is off, or there is no /proc
		}
		inodes := listeners(f, t.state)
		f.Close()
		for i := range ports {
			if p := &ports[i]; p.err != nil && p.Proto == t.proto {
				for _, inode := range inodes[p.Number] {
					wanted[inode] = p
				}
			}
		}
	}
	if len(wanted) == 0 {
		return
	}
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is valid
	for _, fd := range fds {
		to, err := os.Readlink(fd)
		if err != nil {
			continue
		}
		inode, ok := strings.CutPrefix(to, "socket:[")
		p := wanted[strings.TrimSuffix(inode, "]")]
		if !ok || p == nil {
			continue
		}
		proc := filepath.Dir(filepath.Dir(fd))
		pid, _ := strconv.Atoi(filepath.Base(proc)) // the pattern has digits there
		if exe, err := os.Readlink(filepath.Join(proc, "exe")); err == nil {
			p.owner = owner{pid, filepath.Base(strings.TrimSuffix(exe, " (deleted)"))}
		}
	}
}

// listeners reads a table of sockets and returns the inodes of those that listen, by port. It
// skips lines that it cannot parse.
func listeners(r io.Reader, state string) map[int][]string {
	all := make(map[int][]string)
	lines := bufio.NewScanner(r)
	for n := 0; lines.Scan() && n < maxSockets; n++ {
		// sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode ...
		f := strings.Fields(lines.Text())
		if len(f) < 10 || f[3] != state {
			continue
		}
		i := strings.LastIndexByte(f[1], ':')
		port, err := strconv.ParseUint(f[1][i+1:], 16, 16)
		if err == nil && f[9] != "0" {
			all[int(port)] = append(all[int(port)], f[9])
		}
	}
	return all
}
