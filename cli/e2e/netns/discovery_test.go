//go:build e2e && linux

package netns

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"relay/cli/e2e/internal/contention"
	"relay/cli/e2e/internal/wait"
	"relay/relay/discovery"
)

const (
	// foundWithin bounds the time to find a channel, from the first query or from the moment
	// there was a network, on a machine with nothing else to do. It mostly takes 100 ms.
	foundWithin = 500 * time.Millisecond
	// lookOn is how long relay watch waits for more once it has found something.
	lookOn = 100 * time.Millisecond
)

// found is one line of relay list --json.
type found struct {
	ID      string   `json:"id"`
	State   string   `json:"state"`
	Addrs   []string `json:"addrs"`
	FoundMs float64  `json:"found_ms"`
}

// listed returns what a machine finds.
func (m *machine) listed(t *testing.T) []found {
	t.Helper()
	stdout, stderr, code := m.output(t, "list", "--json")
	if code != 0 && code != 3 || (code == 3) != (stdout == "") {
		t.Fatalf("relay list: exit code %d: %s%s", code, stdout, stderr)
	}
	var all []found
	for line := range strings.Lines(stdout) {
		var f found
		must(t, json.Unmarshal([]byte(line), &f))
		all = append(all, f)
	}
	return all
}

// finds asserts that a machine finds these channels and no others, in time, and returns
// them in that order.
func (m *machine) finds(t *testing.T, ids ...string) []found {
	t.Helper()
	gauge := contention.Begin()
	all := m.listed(t)
	most := foundWithin.Seconds() * 1000 * gauge.Factor()
	if len(all) != len(ids) {
		t.Fatalf("%d channels were found, want %d: %v", len(all), len(ids), all)
	}
	var sorted []found
	for _, id := range ids {
		i := slices.IndexFunc(all, func(f found) bool { return f.ID == id })
		if i < 0 {
			t.Fatalf("%s was not found: %v", id, all)
		}
		f := all[i]
		t.Logf("%s found after %.1f ms at %s", f.ID[:8], f.FoundMs, strings.Join(f.Addrs, ", "))
		if f.FoundMs > most {
			t.Errorf("it took %.1f ms to find, at most %.0f were right", f.FoundMs, most)
		}
		sorted = append(sorted, f)
	}
	return sorted
}

// watches starts relay watch, which must find a channel and get the stream.
func (m *machine) watches(t *testing.T, name string, args ...string) *process {
	t.Helper()
	begun := time.Now()
	p := m.relay(t, name, append([]string{"watch", "--config", filepath.Join(m.dir, name+".keys")}, args...)...)
	p.find(t, `(?m)^Connected to `)
	t.Logf("%s is connected %v after it was started", name, time.Since(begun).Round(time.Millisecond))
	p.find(t, `(?m)^Live: `)
	return p
}

func in(t *testing.T, f found, subnet string) {
	t.Helper()
	if !slices.ContainsFunc(f.Addrs, func(s string) bool {
		a, err := netip.ParseAddrPort(s)
		return err == nil && netip.MustParsePrefix(subnet).Contains(a.Addr().WithZone(""))
	}) {
		t.Errorf("no address is in %s: %v", subnet, f.Addrs)
	}
}

// Not one of these machines has a default route.
func TestChannelIsFoundOnTheNetwork(t *testing.T) {
	l := newLAN(t)
	a, b := newMachine(t, "a", false), newMachine(t, "b", false)
	l.plug(t, a, "eth0", "10.77.1.1/24")
	l.plug(t, b, "eth0", "10.77.1.2/24")
	id := a.source(t, "live")
	f := b.finds(t, id)[0]
	if !slices.Equal(f.Addrs, []string{"10.77.1.1:7144"}) {
		t.Errorf("found at %v", f.Addrs)
	}
	b.watches(t, "watch")
	// A watcher answers as well. The machine that asks gets both, the source first.
	c := newMachine(t, "c", false)
	l.plug(t, c, "eth0", "10.77.1.3/24")
	wait.Until(t, "the watcher answers too", func() error {
		if f := c.finds(t, id)[0]; !slices.Equal(f.Addrs, []string{"10.77.1.1:7144", "10.77.1.2:7144"}) {
			return fmt.Errorf("found at %v", f.Addrs)
		}
		return nil
	})
}

func TestChannelIsFoundByIPv6Alone(t *testing.T) {
	for _, c := range []struct{ name, a, b string }{
		{"link-local", "", ""},
		{"its own prefix", "fd77:1::1/64", "fd77:1::2/64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLAN(t)
			a, b := newMachine(t, "a", true), newMachine(t, "b", true)
			var addrs [2][]string
			if c.a != "" {
				addrs = [2][]string{{c.a}, {c.b}}
			}
			l.plug(t, a, "eth0", addrs[0]...)
			l.plug(t, b, "lan0", addrs[1]...)
			id := a.source(t, "live")
			f := b.finds(t, id)[0]
			in(t, f, "fe80::/10")
			if !strings.Contains(f.Addrs[0], "%lan0]") {
				t.Errorf("the zone is not the asker's: %v", f.Addrs)
			}
			b.watches(t, "watch")
		})
	}
}

// A node that is referred to one with only link-local addresses must find the interface to them
// by itself: a zone means nothing on another machine.
func TestTreeGrowsOnLinkLocalAddresses(t *testing.T) {
	l := newLAN(t)
	var ms []*machine
	for i, nic := range []string{"eth0", "lan0", "enp1s0", "wlan0"} {
		m := newMachine(t, fmt.Sprint("m", i), true)
		l.plug(t, m, nic)
		ms = append(ms, m)
	}
	// Only the source hears the queries for it.
	must(t, l.bridge.run("table bridge quiet { chain forward { type filter hook forward priority 0; oifname != \"port1\" udp dport 7146 drop; }; }", "nft", "-f", "-"))
	id := ms[0].source(t, "live", "--max-children", "1")
	for i, m := range ms[1:] {
		p := m.watches(t, fmt.Sprint("watch", i), id[:8], "--max-children", "1")
		if d := p.find(t, `(?m)^Connected to \[fe80:.*\]:7144, (\d) links? from the source`); d != fmt.Sprint(i+1) {
			t.Errorf("watcher %d is %s deep", i, d)
		}
	}
	if f := ms[3].finds(t, id)[0]; len(f.Addrs) != 3 { // the source, and itself at two
		t.Errorf("found at %v", f.Addrs)
	}
}

func TestChannelsOfBothNetworksAreFound(t *testing.T) {
	one, two := newLAN(t), newLAN(t)
	a, b, m := newMachine(t, "a", false), newMachine(t, "b", false), newMachine(t, "m", true)
	one.plug(t, a, "eth0", "10.77.1.1/24")
	two.plug(t, b, "eth0", "10.77.2.1/24")
	one.plug(t, m, "eth0", "10.77.1.9/24")
	two.plug(t, m, "eth1", "10.77.2.9/24")
	first, second := a.source(t, "first"), b.source(t, "second")
	fs := m.finds(t, first, second)
	in(t, fs[0], "10.77.1.0/24")
	in(t, fs[1], "10.77.2.0/24")

	// A source with two networks is found in both, each time at the address there.
	third := m.source(t, "third")
	for _, c := range []struct {
		from   *machine
		id     string
		subnet string
	}{{a, first, "10.77.1.0/24"}, {b, second, "10.77.2.0/24"}} {
		f := c.from.finds(t, third, c.id)[0]
		in(t, f, c.subnet)
		if len(f.Addrs) != 1 {
			t.Errorf("found at %v", f.Addrs)
		}
	}

	// There are several channels, so the user has to say which one.
	_, stderr, code := m.output(t, "watch", "--config", filepath.Join(m.dir, "none"))
	if code != 2 || !strings.Contains(stderr, "there are 3 channels") || !strings.Contains(stderr, second[:8]) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	p := m.watches(t, "watch", second[:6])
	p.find(t, `(?m)^Joining channel `+second[:8])
}

func TestTwoNetworkCardsInOneNetwork(t *testing.T) {
	l := newLAN(t)
	a, b := newMachine(t, "a", false), newMachine(t, "b", true)
	l.plug(t, a, "eth0", "10.77.1.1/24")
	l.plug(t, a, "wlan0", "10.77.1.2/24")
	l.plug(t, b, "eth0", "10.77.1.8/24")
	l.plug(t, b, "wlan0", "10.77.1.9/24")
	in(t, b.finds(t, a.source(t, "live"))[0], "10.77.1.0/30")
	b.watches(t, "watch")
}

func TestEveryRelayOfAMachineAnswers(t *testing.T) {
	l := newLAN(t)
	a, b := newMachine(t, "a", true), newMachine(t, "b", true)
	l.plug(t, a, "eth0", "10.77.1.1/24")
	l.plug(t, b, "eth0", "10.77.1.2/24")
	var ids []string
	for _, name := range []string{"one", "two", "three"} {
		ids = append(ids, a.source(t, name))
	}
	fs := b.finds(t, ids...)
	ports := make(map[uint16]bool)
	for _, f := range fs {
		ports[netip.MustParseAddrPort(f.Addrs[0]).Port()] = true
	}
	if len(ports) != 3 {
		t.Errorf("three relays of one machine are found at %v", fs)
	}
	a.finds(t, ids...) // also on the machine where they run
}

func TestPrivateChannelIsNotFound(t *testing.T) {
	l := newLAN(t)
	a, b := newMachine(t, "a", true), newMachine(t, "b", true)
	l.plug(t, a, "eth0", "10.77.1.1/24")
	l.plug(t, b, "eth0", "10.77.1.2/24")
	a.source(t, "secret", "--no-discovery")
	b.finds(t)
	_, stderr, code := b.output(t, "watch", "--config", filepath.Join(b.dir, "keys"))
	if code != 3 || !strings.Contains(stderr, "asked on eth0 (10.77.1.2, fe80::") || !strings.Contains(stderr, "relay: hint: ") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// soon waits until a process says something, which must be within a bound from now on a machine
// with nothing else to do.
func soon(t *testing.T, p *process, re string, most time.Duration) {
	t.Helper()
	begun, gauge := time.Now(), contention.Begin()
	p.find(t, re)
	d, f := time.Since(begun), gauge.Factor()
	t.Logf("%q %v after there was a network", re, d.Round(time.Millisecond))
	if d.Seconds() > most.Seconds()*f {
		t.Errorf("that took %v, at most %v were right on a machine %.1f times as slow", d, most, f)
	}
}

func TestNetworkThatTheAskerGetsLateIsAskedOn(t *testing.T) {
	for _, six := range []bool{false, true} {
		t.Run(fmt.Sprintf("IPv6 %v", six), func(t *testing.T) {
			l := newLAN(t)
			a, b := newMachine(t, "a", six), newMachine(t, "b", six)
			addrs := [2][]string{{"10.77.1.1/24"}, {"10.77.1.2/24"}}
			if six {
				addrs = [2][]string{}
			}
			l.plug(t, a, "eth0", addrs[0]...)
			id := a.source(t, "live")
			p := b.relay(t, "watch", "watch", "--verbose", "--config", filepath.Join(b.dir, "keys"))
			p.find(t, "asking for channels") // in vain, so far
			l.plug(t, b, "eth0", addrs[1]...)
			soon(t, p, `(?m)^Found   `+id[:8], foundWithin+lookOn)
			p.find(t, `(?m)^Live: `)
		})
	}
}

func TestNetworkThatTheSourceGetsLateIsAnsweredOn(t *testing.T) {
	for _, six := range []bool{false, true} {
		t.Run(fmt.Sprintf("IPv6 %v", six), func(t *testing.T) {
			l := newLAN(t)
			a, b := newMachine(t, "a", six), newMachine(t, "b", six)
			addrs := [2][]string{{"10.77.1.1/24"}, {"10.77.1.2/24"}}
			if six {
				addrs = [2][]string{}
			}
			l.plug(t, b, "eth0", addrs[1]...)
			id := a.source(t, "live") // it has no network yet
			p := b.relay(t, "watch", "watch", "--verbose", "--config", filepath.Join(b.dir, "keys"))
			p.find(t, "asking for channels")
			l.plug(t, a, "eth0", addrs[0]...)
			soon(t, p, `(?m)^Found   `+id[:8], foundWithin+lookOn)
			p.find(t, `(?m)^Live: `)

			// The cable is pulled for good, and there is another one.
			p.kill()
			must(t, a.run("", "ip", "link", "del", "eth0"))
			l.plug(t, a, "eth1", addrs[0]...)
			wait.Until(t, "the source is found on its new interface", func() error {
				if len(b.listed(t)) != 1 {
					return errors.New("it is not")
				}
				return nil
			})
		})
	}
}

// A watcher finds a source that has moved, although its invite names the old address.
func TestSourceIsFoundAgainAtAnotherAddress(t *testing.T) {
	l := newLAN(t)
	a, b := newMachine(t, "a", false), newMachine(t, "b", false)
	l.plug(t, a, "eth0", "10.77.1.1/24")
	l.plug(t, b, "eth0", "10.77.1.2/24")
	id := a.source(t, "live")
	link := "relay://" + id + "@10.77.1.99:7144" // nobody's
	begun := time.Now()
	p := b.relay(t, "watch", "watch", link, "--config", filepath.Join(b.dir, "keys"))
	p.find(t, `(?m)^Connected to 10\.77\.1\.1:7144`)
	t.Logf("a dead link: connected %v after the start", time.Since(begun).Round(time.Millisecond))
}

// A flood of queries is answered at a bounded rate and costs the machine next to nothing. Other
// queries are still answered.
func TestFloodOfQueriesHidesNobody(t *testing.T) {
	const perTick, floodTick = 20, time.Millisecond // 20,000 a second
	l := newLAN(t)
	a, b, c := newMachine(t, "a", false), newMachine(t, "b", false), newMachine(t, "c", false)
	l.plug(t, a, "eth0", "10.77.1.1/24")
	l.plug(t, b, "eth0", "10.77.1.2/24")
	l.plug(t, c, "eth0", "10.77.1.3/24")
	src := a.relay(t, "live", "source", clip, "--loop", "--config", filepath.Join(a.dir, "keys"))
	id := src.find(t, `(?m)^relay://([a-z2-7]{52})@`)
	conn, err := c.dial(t.Context(), "udp4", "10.77.1.1:7146")
	must(t, err)
	defer conn.Close()
	quit, sent := make(chan struct{}), make(chan int)
	go func() { // ends with quit
		packet := make([]byte, discovery.PacketSize)
		copy(packet, "rly?\x01")
		tick := time.NewTicker(floodTick)
		defer tick.Stop()
		for n := 0; ; {
			select {
			case <-quit:
				sent <- n
				return
			case <-tick.C:
			}
			for range perTick {
				n++
				binary.BigEndian.PutUint64(packet[8:], uint64(n))
				_, _ = conn.Write(packet) // the last ones may meet a full queue
			}
		}
	}()
	begun, before := time.Now(), src.busy(t)
	f := b.listed(t)
	took, busy := time.Since(begun), src.busy(t)-before
	close(quit)
	n := <-sent
	if len(f) != 1 || f[0].ID != id {
		t.Errorf("found %v", f)
	}
	must(t, conn.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	answers := 0
	for reply := make([]byte, discovery.PacketSize); ; answers++ {
		if _, err := conn.Read(reply); err != nil {
			break
		}
	}
	t.Logf("%d queries in %v: %d answers, %v of the processor", n, took.Round(time.Millisecond), answers, busy)
	// One address gets 48 at once and 24 a second.
	if most := 48 + 24*int(took.Seconds()+1); answers == 0 || answers > most || n < 4*most {
		t.Errorf("%d queries got %d answers, want %d at most", n, answers, most)
	}
}
