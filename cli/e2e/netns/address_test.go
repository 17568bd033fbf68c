//go:build e2e && linux

package netns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"relay/relay"
)

// invite returns what a source's machine prints for others, parsed.
func (p *process) invite(t *testing.T) relay.Invite {
	t.Helper()
	inv, err := relay.ParseInvite(p.find(t, `(?m)^(relay://\S+)$`))
	must(t, err)
	return inv
}

// broadcast starts a source that loops a clip, with a channel of that name.
func (m *machine) broadcast(t *testing.T, name string, args ...string) *process {
	t.Helper()
	return m.relay(t, name, append([]string{"source", clip, "--loop", "--config", m.dir + "/keys", "--channel", name}, args...)...)
}

// TestInviteLeadsToTheNetworkBehindTheBridges has a source on a machine whose first six
// interfaces are of no use to others.
func TestInviteLeadsToTheNetworkBehindTheBridges(t *testing.T) {
	t.Parallel()
	l := newLAN(t)
	m, other := newMachine(t, "broadcaster", false), newMachine(t, "viewer", false)
	var b strings.Builder
	for n := range 5 {
		fmt.Fprintf(&b, "link add br-%[1]d type bridge\naddr add 172.%[2]d.0.1/16 dev br-%[1]d\nlink set br-%[1]d up\n", n, 17+n)
	}
	b.WriteString("tuntap add dev tun0 mode tun\naddr add 10.8.0.2/32 dev tun0\nlink set tun0 up\n")
	must(t, m.run(b.String(), "ip", "-batch", "-"))
	l.plug(t, m, "eth0", "10.77.0.1/24")
	l.plug(t, other, "eth0", "10.77.0.2/24")

	inv := m.broadcast(t, "finals").invite(t)
	if inv.Hosts[0].Host != "10.77.0.1" {
		t.Errorf("the invite begins with %v", inv.Hosts)
	}
	if slices.ContainsFunc(inv.Hosts, func(h relay.HostPort) bool {
		return netip.MustParsePrefix("172.16.0.0/12").Contains(netip.MustParseAddr(h.Host))
	}) {
		t.Errorf("it names bridges in which nobody is: %v", inv.Hosts)
	}
	other.relay(t, "watch", "watch", inv.String(), "--no-discovery").find(t, `Connected to (.*10\.77\.0\.1)`)
}
