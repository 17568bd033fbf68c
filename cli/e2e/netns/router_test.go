//go:build e2e && linux

package netns

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// kind is what stands between a machine and the Internet.
type kind string

const (
	// open is a machine on the Internet itself, with addresses of both families.
	open kind = "open"
	// forwarded is behind a router that sends on to it what comes to the port for links: its
	// owner has said so, or it does that with every port that was ever used (a full cone).
	forwarded kind = "forwarded"
	// restricted is behind a router that gives a port of the machine's the same outer port towards
	// everybody, and lets in only whom something was sent to from it (a port-restricted cone).
	restricted kind = "restricted"
	// resets is likewise behind a router that answers with a reset what was not asked for.
	resets kind = "resets"
	// carrier is behind a restricted router that is itself behind one of a carrier's.
	carrier kind = "carrier"
	// symmetric is behind a router that takes another outer port towards everybody.
	symmetric kind = "symmetric"
	// office is behind a restricted router that passes on no UDP either way, but for names.
	office kind = "office"
	// filtered has IPv6 alone, and a router whose firewall lets in only what was asked for.
	filtered kind = "filtered"
)

var kinds = []kind{open, forwarded, restricted, resets, carrier, symmetric, office, filtered}

// dialled reports whether anybody can dial a machine of the kind.
func (k kind) dialled() bool { return k == open || k == forwarded }

// meets reports whether machines of the two kinds have addresses of one family.
func (k kind) meets(o kind) bool {
	return k == open || o == open || (k == filtered) == (o == filtered)
}

// internet is what lines of all kinds lead to. They meet in one machine, which passes packets
// on: nobody has a neighbour.
type internet struct {
	core  *machine
	lines int
}

func newInternet(t *testing.T) *internet {
	t.Helper()
	n := &internet{core: newMachine(t, "core", true)}
	n.core.forward(t)
	// It stands for many machines in a row: what may pass but a few does not get through.
	must(t, n.core.run("table inet far {\n\tchain forward {\n\t\ttype filter hook forward priority 0;\n\t\tip ttl < 8 drop\n\t\tip6 hoplimit < 8 drop\n\t}\n}\n", "nft", "-f", "-"))
	return n
}

// residence is a machine on a line of its own, with whatever router its kind has.
type residence struct {
	*machine
	kind     kind
	line     int
	router   *machine // nil if it is open
	machines int      // behind the router
}

// coreAddr is what every line leads to.
const coreAddr = "198.51.100.254"

// wan is the address, of IPv4, at which the Internet sees who lives there.
func (r *residence) wan() string { return fmt.Sprintf("198.51.100.%d", r.line) }

// reside connects a machine of a kind.
func (n *internet) reside(t *testing.T, name string, k kind) *residence {
	t.Helper()
	r := &residence{kind: k}
	switch k {
	case open:
		r.machine = newMachine(t, name, true)
		r.line = n.connect(t, r.machine, nic, true)
		r.host.line = r.line
		return r
	case carrier:
		return n.provide(t, name+"-carrier").reside(t, name)
	}
	r.router = newMachine(t, name+"-router", k == filtered)
	r.line = n.connect(t, r.router, "wan", k == filtered)
	r.furnish(t, name)
	return r
}

// furnish puts a machine behind the router.
func (r *residence) furnish(t *testing.T, name string) {
	t.Helper()
	// The addresses inside are the same in every home, as they are at people's.
	r.router.batch(t, "link add lan type bridge", "link set lan up", "addr add "+routerAddr+"/24 dev lan")
	if r.kind == filtered {
		r.router.batch(t, "addr add fe80::1/64 dev lan nodad", fmt.Sprintf("addr add 2001:db8:%x:1::1/64 dev lan nodad", r.line))
	}
	r.router.translate(t, r.kind)
	r.machine = r.another(t, name)
}

// another puts one more machine behind the router.
func (r *residence) another(t *testing.T, name string) *machine {
	t.Helper()
	m := newMachine(t, name, r.kind == filtered)
	m.line = r.line
	r.machines++
	port := fmt.Sprintf("port%d", r.machines)
	cable(t, r.router, port, m, nic)
	r.router.batch(t, "link set "+port+" master lan")
	if r.kind == filtered {
		m.batch(t, fmt.Sprintf("addr add 2001:db8:%x:1::%x/64 dev eth0 nodad", r.line, 1+r.machines), "route add default via fe80::1 dev eth0")
	} else {
		m.batch(t, fmt.Sprintf("addr add 192.168.1.%d/24 dev eth0", 1+r.machines), "route add default via "+routerAddr)
	}
	return m
}

// connect leads a line to a machine's new interface, and returns the line's number.
func (n *internet) connect(t *testing.T, m *machine, end string, ipv6 bool) int {
	t.Helper()
	n.lines++
	port, addr := fmt.Sprintf("line%d", n.lines), fmt.Sprintf("198.51.100.%d", n.lines)
	cable(t, n.core, port, m, end)
	n.core.batch(t, "addr add "+coreAddr+"/32 dev "+port, "route add "+addr+"/32 dev "+port)
	m.batch(t, "addr add "+addr+"/32 dev "+end, "route add default via "+coreAddr+" dev "+end+" onlink")
	if ipv6 {
		n.core.batch(t, "addr add fe80::1/64 dev "+port+" nodad", fmt.Sprintf("route add 2001:db8:%x::/48 via fe80::2 dev %s", n.lines, port))
		m.batch(t, "addr add fe80::2/64 dev "+end+" nodad", fmt.Sprintf("addr add 2001:db8:%x::1/128 dev %s nodad", n.lines, end), "route add default via fe80::1 dev "+end)
	}
	return n.lines
}

// batch gives commands to ip.
func (m *machine) batch(t *testing.T, commands ...string) {
	t.Helper()
	must(t, m.run(strings.Join(commands, "\n")+"\n", "ip", "-batch", "-"))
}

// cable connects two machines with an interface each, which is up.
func cable(t *testing.T, a *machine, end string, b *machine, other string) {
	t.Helper()
	a.batch(t, fmt.Sprintf("link add %s type veth peer name %s netns %s", end, other, b.path()), "link set "+end+" up")
	b.batch(t, "link set "+other+" up")
}

// forward has a machine pass packets on.
func (m *machine) forward(t *testing.T) {
	t.Helper()
	must(t, m.do(func() error { return writeSetting("ipv4/ip_forward", "1") }))
	m.set(t, "forwarding", "1")
}

// writeSetting changes one of the kernel's for networks, in the namespace in which it is called.
func writeSetting(name, value string) error {
	return os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o644)
}

// translate makes a router of a machine that has the interfaces lan and wan.
func (m *machine) translate(t *testing.T, k kind) {
	t.Helper()
	m.forward(t)
	var unasked, port, random, blocked string
	switch k {
	case office:
		blocked = "meta l4proto udp th dport != 53 th sport != 53 drop"
	case forwarded:
		port = "iifname \"wan\" meta l4proto { tcp, udp } th dport 7144 dnat to " + homeAddr
	case symmetric:
		random = "random"
	}
	if k != resets {
		unasked = "iifname \"wan\" meta l4proto { tcp, udp } drop"
	}
	must(t, m.run(fmt.Sprintf(`table inet filter {
	chain input {
		type filter hook input priority 0; policy accept;
		ct state established,related accept
		%s
	}
	chain forward {
		type filter hook forward priority 0; policy drop;
		%s
		ct state established,related accept
		iifname "lan" accept
		ct status dnat accept
	}
}
table ip nat {
	chain prerouting {
		type nat hook prerouting priority -100;
		%s
	}
	chain postrouting {
		type nat hook postrouting priority 100;
		oifname "wan" masquerade %s
	}
}
`, unasked, blocked, port, random), "nft", "-f", "-"))
}
