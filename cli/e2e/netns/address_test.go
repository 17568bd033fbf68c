//go:build e2e && linux

package netns

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"relay/cli/e2e/internal/contention"
	"relay/cli/e2e/internal/wait"
	"relay/playback/api"
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

// TestThePagesAddressWorksWhereALinkDoes has a source whose port for links is not the usual one.
func TestThePagesAddressWorksWhereALinkDoes(t *testing.T) {
	t.Parallel()
	l := newLAN(t)
	m, other := newMachine(t, "broadcaster", false), newMachine(t, "viewer", false)
	l.plug(t, m, "eth0", "10.77.0.1/24")
	l.plug(t, other, "eth0", "10.77.0.2/24")
	m.broadcast(t, "finals", "--listen", ":9000").invite(t)
	for i, pasted := range []string{"<http://10.77.0.1:7145/>.", "10.77.0.1", "10.77.0.1:7144"} {
		name := fmt.Sprintf("watch%d", i)
		other.relay(t, name, "watch", pasted, "--no-discovery", "--offset", strconv.Itoa(10*i), "--config", other.dir+"/"+name).
			find(t, `Connected to (10\.77\.0\.1:9000)`)
	}
}

// toldWithin bounds the time from another address of the machine to the link that says so, on
// a machine with nothing else to do.
const toldWithin = 3 * time.Second

// backWithin bounds the time until a viewer whose address is another has a parent again. It
// is less than the silence after which a link is given up.
const backWithin = 1500 * time.Millisecond

// link returns what relay link prints on the machine.
func (m *machine) link(t *testing.T) relay.Invite {
	t.Helper()
	out, errs, code := m.output(t, "link", "--config", m.dir+"/keys")
	if code != 0 {
		t.Fatalf("relay link: exit code %d: %s", code, errs)
	}
	inv, err := relay.ParseInvite(out)
	must(t, err)
	return inv
}

// becomes waits until relay link begins with that host.
func (m *machine) becomes(t *testing.T, host string) relay.Invite {
	t.Helper()
	var inv relay.Invite
	begun, gauge := time.Now(), contention.Begin()
	wait.Until(t, "the link begins with "+host, func() error {
		if inv = m.link(t); inv.Hosts[0].Host != host {
			return fmt.Errorf("it has %v", inv.Hosts)
		}
		return nil
	})
	d, f := time.Since(begun), gauge.Factor()
	t.Logf("the link has %s after %v", host, d.Round(time.Millisecond))
	if d.Seconds() > toldWithin.Seconds()*f {
		t.Errorf("that took %v, at most %v were right on a machine %.1f times as slow", d, toldWithin, f)
	}
	return inv
}

// TestTheLinkFollowsTheMachinesAddress starts a source before there is a network, and gives
// it one address and then another.
func TestTheLinkFollowsTheMachinesAddress(t *testing.T) {
	l := newLAN(t)
	m, other := newMachine(t, "broadcaster", false), newMachine(t, "viewer", false)
	l.plug(t, other, "eth0", "10.77.0.2/24")
	p := m.broadcast(t, "finals")
	if inv := p.invite(t); inv.Hosts[0].Host != "127.0.0.1" {
		t.Fatalf("without a network the invite has %v", inv.Hosts)
	}
	l.plug(t, m, "eth0", "10.77.0.1/24")
	inv := m.becomes(t, "10.77.0.1")
	p.find(t, `Share +relay watch relay://\S+@10\.77\.0\.1:`)
	w := other.relay(t, "watch", "watch", inv.String())
	w.find(t, `Connected to (.*10\.77\.0\.1)`)

	must(t, m.run("addr flush dev eth0\naddr add 10.77.0.9/24 dev eth0\n", "ip", "-batch", "-"))
	if inv = m.becomes(t, "10.77.0.9"); len(inv.Hosts) != 1 {
		t.Errorf("it still has %v", inv.Hosts)
	}
	p.find(t, `Share +relay watch relay://\S+@10\.77\.0\.9:`)
	w.find(t, `Connected to (.*10\.77\.0\.9)`) // by discovery
	other.relay(t, "late", "watch", inv.String(), "--no-discovery", "--offset", "10", "--config", other.dir+"/late").find(t, `Connected to (.*10\.77\.0\.9)`)

	// The viewer moves too. Its link would be silent for 2 s before it is given up.
	begun, gauge := time.Now(), contention.Begin()
	must(t, other.run("addr flush dev eth0\naddr add 10.77.0.22/24 dev eth0\n", "ip", "-batch", "-"))
	w.find(t, `(?s)Connected to .*Connected to .*(Connected to .*)`)
	d, f := time.Since(begun), gauge.Factor()
	t.Logf("the viewer is back after %v", d.Round(time.Millisecond))
	if d.Seconds() > backWithin.Seconds()*f {
		t.Errorf("the viewer was back after %v, at most %v were right on a machine %.1f times as slow", d, backWithin, f)
	}
}

// TestViewersGoOnWhenTheSourceMoves gives a source another address under its viewers, who have no
// way to find it there: it comes to them.
func TestViewersGoOnWhenTheSourceMoves(t *testing.T) {
	t.Parallel()
	l := newLAN(t)
	m := newMachine(t, "broadcaster", false)
	l.plug(t, m, "eth0", "10.77.0.1/24")
	p := m.broadcast(t, "finals")
	link := p.find(t, `(?m)^(relay://[a-z2-7]{52}@\S+)`)
	var watching []*process
	for i := range 3 {
		v := newMachine(t, fmt.Sprint("viewer", i), false)
		l.plug(t, v, "eth0", fmt.Sprintf("10.77.0.%d/24", 20+i))
		w := v.relay(t, "watch", "watch", link, "--no-discovery", "--config", v.dir+"/keys")
		w.find(t, `(?m)^Live: `)
		watching = append(watching, w)
	}
	begun, gauge := time.Now(), contention.Begin()
	must(t, m.run("addr flush dev eth0\naddr add 10.77.0.9/24 dev eth0\n", "ip", "-batch", "-"))
	for _, w := range watching {
		w.find(t, `(?s)Connected to .*(Connected to .*)`)
	}
	d, f := time.Since(begun), gauge.Factor()
	t.Logf("all are back after %v", d.Round(time.Millisecond))
	if d.Seconds() > backWithin.Seconds()*f {
		t.Errorf("they were back after %v, at most %v were right on a machine %.1f times as slow", d, backWithin, f)
	}
	wait.Until(t, "all are in the tree, and have lost nothing", func() error {
		out, errs, code := m.output(t, "tree", "--json")
		var trees api.Trees
		if err := json.Unmarshal([]byte(out), &trees); err != nil || len(trees.Channels) != 1 || len(trees.Channels[0].Nodes) != 4 {
			return fmt.Errorf("exit code %d, %v: %s%s", code, err, out, errs)
		}
		for _, n := range trees.Channels[0].Nodes {
			if n.Lost > 0 {
				return fmt.Errorf("%s has lost %d chunks", n.ID, n.Lost)
			}
		}
		return nil
	})
}
