//go:build e2e && linux

package netns

import "testing"

// TestALineThatSwallowsLongPacketsIsWatchedOver has a viewer behind a router whose line carries
// 1,300 bytes in a packet, and which tells nobody of those that are longer.
func TestALineThatSwallowsLongPacketsIsWatchedOver(t *testing.T) {
	t.Parallel()
	home, world := newLAN(t), newLAN(t)
	router, viewer, src := newMachine(t, "router", false), newMachine(t, "viewer", false), newMachine(t, "source", false)
	home.plug(t, router, "eth0", "10.1.0.1/24")
	world.plug(t, router, "eth1", "198.51.100.1/24")
	home.plug(t, viewer, "eth0", "10.1.0.2/24")
	world.plug(t, src, "eth0", "198.51.100.2/24")
	must(t, viewer.run("route add default via 10.1.0.1\n", "ip", "-batch", "-"))
	must(t, src.run("route add default via 198.51.100.1\n", "ip", "-batch", "-"))
	must(t, router.run("", "sysctl", "-qw", "net.ipv4.ip_forward=1"))
	must(t, router.run(`table inet hole {
	chain forward {
		type filter hook forward priority 0;
		meta length > 1300 drop
	}
}
`, "nft", "-f", "-"))
	for _, m := range []*machine{viewer, src} { // else the router sees several packets as one
		must(t, m.run("", "ip", "link", "set", "eth0", "gso_max_segs", "1"))
	}
	p := src.broadcast(t, "finals", "--no-qr")
	link := p.find(t, `(?m)^(relay://[a-z2-7]{52}@\S+)`)
	w := viewer.relay(t, "watch", "watch", link, "--verbose", "--config", viewer.dir+"/keys")
	w.find(t, `only short packets get through`)
	w.find(t, `(?m)^(Live: )`)
}
