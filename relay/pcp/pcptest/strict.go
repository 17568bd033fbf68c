package pcptest

import (
	"fmt"
	"slices"
)

// packetMost is the room that peercast-yt has for an atom at the top: all of it, with the heads,
// before it is looked at. Data of a packet has as much.
const packetMost = 16384

var (
	topNames  = []string{"pcp\n", "helo", "oleh", "ok", "quit", "chan", "host", "bcst", "push", "root", "mesg", "atom"}
	chanNames = []string{"id", "bcid", "key", "info", "trck", "pkt"}
	sizes     = map[string]map[string]int{
		"helo": {"ver": 4, "sid": 16, "port": 2, "ping": 2, "bcid": 16},
		"oleh": {"ver": 4, "sid": 16, "port": 2},
		"chan": {"id": 16, "bcid": 16, "key": 16},
		"info": {"bitr": 4},
		"pkt":  {"type": 4, "pos": 4, "cont": 1},
		"host": {"cid": 16, "id": 16, "port": 2, "numl": 4, "numr": 4, "uptm": 4, "ver": 4, "vevp": 4, "vexp": 2, "vexn": 2, "flg1": 1, "oldp": 4, "newp": 4, "uppt": 4, "uphp": 4},
		"bcst": {"grp": 1, "hops": 1, "ttl": 1, "from": 16, "dest": 16, "vers": 4, "vrvp": 4, "cid": 16},
	}
)

// strict returns why peercast-yt ends a connection on which such an atom comes.
func strict(a Atom) error {
	if !slices.Contains(topNames, a.Name) {
		return fmt.Errorf("protocol error: %q at the top", a.Name)
	}
	if n := len(a.Bytes()); n > packetMost {
		return fmt.Errorf("%q of %d bytes, there is room for %d", a.Name, n, packetMost)
	}
	if (a.Name == "ok" || a.Name == "quit") && len(a.Data) != 4 {
		return fmt.Errorf("bad atom data: %q of %d bytes", a.Name, len(a.Data))
	}
	return strictInside(a)
}

func strictInside(a Atom) error {
	for _, k := range a.Kids {
		if a.Name == "chan" && !slices.Contains(chanNames, k.Name) {
			return fmt.Errorf("protocol error: %q in a chan", k.Name)
		}
		if want, ok := sizes[a.Name][k.Name]; ok && len(k.Data) != want {
			return fmt.Errorf("bad atom data: %q in %q has %d bytes, not %d", k.Name, a.Name, len(k.Data), want)
		}
		if (k.Name == "ip" || k.Name == "rip" || k.Name == "upip") && len(k.Data) != 4 && len(k.Data) != 16 {
			return fmt.Errorf("bad atom data: %q has %d bytes", k.Name, len(k.Data))
		}
		if k.Name == "info" || k.Name == "trck" || k.Name == "pkt" || k.Name == "host" || k.Name == "chan" {
			if err := strictInside(k); err != nil {
				return err
			}
		}
	}
	return nil
}
