//go:build e2e && linux

package netns

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// network is a bridge in a namespace of its own with hosts on it. Cables are pulled
// and packets dropped at the bridge: the hosts see nothing but the effect.
type network struct {
	bridge *space
	hosts  []*host
}

// host is a machine: a namespace with one cable.
type host struct {
	*space
	net  *network
	num  int
	addr string // of its end of the cable
	port string // the bridge's end
	line int    // by which it is connected instead, if it is on an internet; else 0
}

// nic is the name of every host's end of its cable.
const nic = "eth0"

// newNetwork makes a network that lasts as long as the test.
func newNetwork(t *testing.T, hosts int) *network {
	t.Helper()
	n := &network{bridge: spaceFor(t)}
	batch := []string{"link add br0 type bridge mcast_snooping 0", "link set br0 up"}
	for i := range hosts {
		h := &host{space: spaceFor(t), net: n, num: i, addr: fmt.Sprintf("10.77.0.%d", i+1), port: fmt.Sprintf("port%d", i)}
		n.hosts = append(n.hosts, h)
		batch = append(batch,
			fmt.Sprintf("link add %s type veth peer name %s netns %s", h.port, nic, h.path()),
			fmt.Sprintf("link set %s master br0 up", h.port))
	}
	must(t, n.bridge.run(strings.Join(batch, "\n"), "ip", "-batch", "-"))
	for _, h := range n.hosts {
		must(t, h.run(fmt.Sprintf("addr add %s/24 dev %s\nlink set %s up\n", h.addr, nic, nic), "ip", "-batch", "-"))
	}
	must(t, n.bridge.run("table bridge faults { chain forward { type filter hook forward priority 0; }; }", "nft", "-f", "-"))
	return n
}

func spaceFor(t *testing.T) *space {
	t.Helper()
	s, err := newSpace()
	must(t, err)
	t.Cleanup(s.close)
	return s
}

// drop has the bridge drop what matches an nftables expression, until heal.
func (n *network) drop(t *testing.T, match string) {
	t.Helper()
	must(t, n.bridge.run("add rule bridge faults forward "+match+" drop\n", "nft", "-f", "-"))
}

// heal ends all dropping.
func (n *network) heal(t *testing.T) {
	t.Helper()
	must(t, n.bridge.run("flush chain bridge faults forward\n", "nft", "-f", "-"))
}

// cut splits the network in two until heal. It uses one rule, so that both directions end at
// once.
func (n *network) cut(t *testing.T, one, other []*host) {
	t.Helper()
	ports := func(hs []*host) string {
		var s []string
		for _, h := range hs {
			s = append(s, strconv.Quote(h.port))
		}
		return "{ " + strings.Join(s, ", ") + " }"
	}
	must(t, n.bridge.run(fmt.Sprintf("add rule bridge faults forward iifname %[1]s oifname %[2]s drop\nadd rule bridge faults forward iifname %[2]s oifname %[1]s drop\n",
		ports(one), ports(other)), "nft", "-f", "-"))
}

// deafen drops what the host is sent, and silence what it sends.
func (h *host) deafen(t *testing.T) {
	t.Helper()
	if h.net == nil {
		h.sever(t, "ingress")
		return
	}
	h.net.drop(t, fmt.Sprintf("oifname %q", h.port))
}

func (h *host) silence(t *testing.T) {
	t.Helper()
	if h.net == nil {
		h.sever(t, "egress")
		return
	}
	h.net.drop(t, fmt.Sprintf("iifname %q", h.port))
}

// unplug pulls the cable at the far end, plug puts it back.
func (h *host) unplug(t *testing.T) {
	t.Helper()
	if h.net == nil {
		h.sever(t, "ingress", "egress")
		return
	}
	must(t, h.net.bridge.run("", "ip", "link", "set", h.port, "down"))
}

func (h *host) plug(t *testing.T) {
	t.Helper()
	if h.net == nil {
		h.join(t)
		return
	}
	must(t, h.net.bridge.run("", "ip", "link", "set", h.port, "up"))
}

// sever drops all that passes a hook of the host's own interface, until join. It is for hosts that
// have no cable to a bridge.
func (h *host) sever(t *testing.T, hooks ...string) {
	t.Helper()
	var chains strings.Builder
	for _, hook := range hooks {
		fmt.Fprintf(&chains, "\tchain %s {\n\t\ttype filter hook %s device %s priority 0; policy drop;\n\t}\n", hook, hook, nic)
	}
	must(t, h.run("table netdev severed {\n"+chains.String()+"}\n", "nft", "-f", "-"))
}

func (h *host) join(t *testing.T) {
	t.Helper()
	must(t, h.run("delete table netdev severed\n", "nft", "-f", "-"))
}

// down switches the host's own interface off, up on again.
func (h *host) down(t *testing.T) { must(t, h.run("", "ip", "link", "set", nic, "down")) }
func (h *host) up(t *testing.T)   { must(t, h.run("", "ip", "link", "set", nic, "up")) }

// throttle bounds what the host sends, in bit/s; queue is how long a packet may wait.
func (h *host) throttle(t *testing.T, rate int) {
	t.Helper()
	must(t, h.run("", "tc", "qdisc", "add", "dev", nic, "root", "tbf",
		"rate", strconv.Itoa(rate), "burst", tbfBurst, "latency", tbfQueue))
}

const (
	// tbfBurst passes at once, and tbfQueue is how long a packet may wait before it is dropped.
	// They model a home connection and its router's buffer.
	tbfBurst = "16kb"
	tbfQueue = "200ms"
)

func (h *host) unthrottle(t *testing.T) {
	t.Helper()
	must(t, h.run("", "tc", "qdisc", "del", "dev", nic, "root"))
}

// sent is how many bytes the host has put on its cable.
func (h *host) sent(t *testing.T) int {
	t.Helper()
	var n int
	must(t, h.do(func() error {
		// /proc/net shows the namespace of the thread that reads it.
		b, err := os.ReadFile("/proc/thread-self/net/dev")
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(b)) {
			if name, rest, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == nic {
				n, err = strconv.Atoi(strings.Fields(rest)[8])
				return err
			}
		}
		return fmt.Errorf("there is no %s", nic)
	}))
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
