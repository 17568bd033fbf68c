//go:build e2e && linux

package netns

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"relay/cli/e2e/internal/wait"
)

// household is a home behind a router that lets in nothing unasked and runs miniupnpd, and
// somebody elsewhere.
type household struct {
	router, home, outside *machine
	daemon                *process // miniupnpd
}

// Addresses of the household's little world. miniupnpd maps nothing for a router whose address
// it knows as one of no use, such as those for documentation.
const (
	outsideAddr = "11.22.33.1"
	wanAddr     = "11.22.33.11"
	routerAddr  = "192.168.1.1"
	homeAddr    = "192.168.1.2"
)

const routerRules = `table inet filter {
	chain input {
		type filter hook input priority 0; policy accept;
		iifname "wan" ct state new drop
	}
	chain forward {
		type filter hook forward priority 0; policy drop;
		ct state established,related accept
		iifname "lan" accept
		jump miniupnpd
	}
	chain miniupnpd { }
	chain prerouting {
		type nat hook prerouting priority -100;
		jump prerouting_miniupnpd
	}
	chain postrouting {
		type nat hook postrouting priority 100;
		jump postrouting_miniupnpd
		oifname "wan" meta nfproto ipv4 masquerade
	}
	chain prerouting_miniupnpd { }
	chain postrouting_miniupnpd { }
}
`

const routerSettings = `ext_ifname=wan
ext_ifname6=wan
listening_ip=lan
enable_natpmp=yes
enable_upnp=yes
secure_mode=yes
system_uptime=no
min_lifetime=5
uuid=7a212afe-b243-4445-bbb7-4543fc1f99cf
upnp_table_name=filter
upnp_nat_table_name=filter
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
allow %d-65535 192.168.1.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`

// newHousehold makes a household whose router opens ports from the lowest on. With IPv6 it has a
// firewall for that, too.
func newHousehold(t *testing.T, lowest int, ipv6 bool) *household {
	t.Helper()
	h := &household{router: newMachine(t, "router", ipv6), home: newMachine(t, "home", ipv6), outside: newMachine(t, "outside", ipv6)}
	must(t, h.router.run(fmt.Sprintf(`link add wan type veth peer name eth0 netns %s
link add lan type veth peer name eth0 netns %s
addr add %s/24 dev wan
addr add %s/24 dev lan
link set wan up
link set lan up
`, h.outside.path(), h.home.path(), wanAddr, routerAddr), "ip", "-batch", "-"))
	must(t, h.outside.run(fmt.Sprintf("addr add %s/24 dev eth0\nlink set eth0 up\nroute add default via %s\n", outsideAddr, wanAddr), "ip", "-batch", "-"))
	must(t, h.home.run(fmt.Sprintf("addr add %s/24 dev eth0\nlink set eth0 up\nroute add default via %s\n", homeAddr, routerAddr), "ip", "-batch", "-"))
	must(t, h.router.do(func() error { return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644) }))
	if ipv6 {
		must(t, h.router.run("addr add 2001:db8:1::11/64 dev wan nodad\naddr add 2001:db8:2::1/64 dev lan nodad\naddr add fe80::1/64 dev lan nodad\n", "ip", "-batch", "-"))
		must(t, h.outside.run("addr add 2001:db8:1::1/64 dev eth0 nodad\nroute add 2001:db8:2::/64 via 2001:db8:1::11\n", "ip", "-batch", "-"))
		must(t, h.home.run("addr add 2001:db8:2::2/64 dev eth0 nodad\nroute add default via fe80::1 dev eth0\n", "ip", "-batch", "-"))
		h.router.set(t, "forwarding", "1")
	}
	conf := filepath.Join(h.router.dir, "upnp.conf")
	must(t, os.WriteFile(conf, fmt.Appendf(nil, routerSettings, lowest), 0o644))
	h.boot(t)
	return h
}

// boot has the router begin, with nothing but its settings.
func (h *household) boot(t *testing.T) {
	t.Helper()
	must(t, h.router.run("flush ruleset\n"+routerRules, "nft", "-f", "-"))
	h.daemon = h.router.start(t, "miniupnpd", filepath.Join(h.router.dir, "miniupnpd.log"), "miniupnpd",
		"-d", "-f", filepath.Join(h.router.dir, "upnp.conf"), "-P", filepath.Join(h.router.dir, "pid"))
	wait.Until(t, "the router answers", func() error {
		var table []byte
		err := h.router.do(func() (err error) { table, err = os.ReadFile("/proc/thread-self/net/udp"); return err })
		if err == nil && !bytes.Contains(table, []byte(":14E7 ")) { // 5351
			err = fmt.Errorf("it does not listen: %s", table)
		}
		return err
	})
}

// mapped is whether the router has a rule of miniupnpd's for the home's port.
func (h *household) mapped() bool {
	return h.router.run("", "sh", "-c", "nft list table inet filter | grep -q 'dport 7144'") == nil
}

// leastLease is for how long miniupnpd keeps a pinhole that it lets nobody remove (min_lifetime).
const leastLease = 2 * time.Minute

// closes waits until the router lets nobody in any more: one that is busy does later what it
// was asked to, and one that has forgotten whose a pinhole is lets it run out.
func (h *household) closes(t *testing.T) {
	t.Helper()
	wait.For(t, leastLease+wait.Patience, "the router lets nobody in any more", func() error {
		if h.mapped() {
			return errors.New("it has a rule for port 7144")
		}
		return nil
	})
}

// relayThatAsks starts relay without the variable that has tests leave routers alone.
func (m *machine) relayThatAsks(t *testing.T, name string, args ...string) *process {
	t.Helper()
	return m.start(t, name, filepath.Join(m.dir, name+".log"), "env", append([]string{"RELAY_DISCOVERY_INTERFACES=", "RELAY_NO_PORT_MAPPING=", relayBin}, args...)...)
}

func (m *machine) sourceThatAsks(t *testing.T, args ...string) *process {
	t.Helper()
	return m.relayThatAsks(t, "source", append([]string{"source", clip, "--loop", "--no-qr", "--config", filepath.Join(m.dir, "keys")}, args...)...)
}

// TestSomebodyElsewhereWatchesASourceAtHome has the source open its port in a router that lets
// nothing in, and play to somebody who opens the link that it prints.
func TestSomebodyElsewhereWatchesASourceAtHome(t *testing.T) {
	h := newHousehold(t, 1024, false)
	src := h.home.sourceThatAsks(t)
	src.find(t, `(?m)^(relay://[a-z2-7]{52}@\S+)`)
	began := time.Now()
	link := src.find(t, `(?m)^Share +relay watch (relay://[a-z2-7]{52}@11\.22\.33\.11:7144\S*)$`)
	t.Logf("the link for others is there %v after the first one", time.Since(began).Round(10*time.Millisecond))
	if !h.mapped() || !strings.Contains(link, homeAddr) {
		t.Errorf("%s; mapped: %v", link, h.mapped())
	}
	h.outside.relay(t, "watch", "watch", link, "--config", filepath.Join(h.outside.dir, "keys")).find(t, `(?m)^Live: `)
	out, errs, _ := h.home.output(t, "doctor")
	for _, want := range []string{"The router at 192.168.1.1 has opened 11.22.33.11:7144 by PCP, for TCP and UDP, for 2h", "somebody came in from outside"} {
		if !strings.Contains(out, want) {
			t.Errorf("the doctor does not say %q: %s%s", want, out, errs)
		}
	}
	if out, errs, _ := h.home.output(t, "top"); !strings.Contains(out, "11.22.33.11:7144 by PCP") {
		t.Errorf("top does not tell of the mapping: %s%s", out, errs)
	}
	src.signal(t, syscall.SIGINT)
	src.wait(t)
	h.closes(t)
}

// TestAViewerAtHomeIsReached has somebody at home watch: his parent gets through to him, and
// another one watches through him.
func TestAViewerAtHomeIsReached(t *testing.T) {
	h := newHousehold(t, 1024, false)
	src := h.outside.relay(t, "source", "source", clip, "--loop", "--no-qr", "--max-children", "1", "--config", filepath.Join(h.outside.dir, "keys"))
	link := src.find(t, `(?m)^(relay://[a-z2-7]{52}@\S+)`)
	h.home.relayThatAsks(t, "watch", "watch", link, "--config", filepath.Join(h.home.dir, "keys")).find(t, `(?m)^Live: `)
	wait.Until(t, "the source gets through to the viewer", func() error {
		out, errs, _ := h.home.output(t, "doctor")
		for _, want := range []string{"has opened 11.22.33.11:7144", "another node got through"} {
			if !strings.Contains(out, want) {
				return fmt.Errorf("the doctor does not say %q: %s%s", want, out, errs)
			}
		}
		return nil
	})
	second := h.outside.relay(t, "second", "watch", link, "--offset", "10", "--config", filepath.Join(h.outside.dir, "second"))
	second.find(t, `Connected to .*11\.22\.33\.11:7144`)
	second.find(t, `(?m)^Live: `)
}

// TestAViewerIsReachedAtAnotherPortThanHisOwn has the router give another port, as when
// somebody else in the home has the usual one.
func TestAViewerIsReachedAtAnotherPortThanHisOwn(t *testing.T) {
	h := newHousehold(t, 7145, false)
	src := h.outside.relay(t, "source", "source", clip, "--loop", "--no-qr", "--max-children", "1", "--config", filepath.Join(h.outside.dir, "keys"))
	link := src.find(t, `(?m)^(relay://[a-z2-7]{52}@\S+)`)
	h.home.relayThatAsks(t, "watch", "watch", link, "--config", filepath.Join(h.home.dir, "keys")).find(t, `(?m)^Live: `)
	wait.Until(t, "the source gets through to the viewer", func() error {
		out, errs, _ := h.home.output(t, "doctor")
		for _, want := range []string{"has opened 11.22.33.11:7145", "another node got through"} {
			if !strings.Contains(out, want) {
				return fmt.Errorf("the doctor does not say %q: %s%s", want, out, errs)
			}
		}
		return nil
	})
	second := h.outside.relay(t, "second", "watch", link, "--offset", "10", "--config", filepath.Join(h.outside.dir, "second"))
	second.find(t, `Connected to .*11\.22\.33\.11:7145`)
	second.find(t, `(?m)^Live: `)
}

// TestSomebodyElsewhereWatchesByIPv6 has the source open a pinhole in the router's firewall.
func TestSomebodyElsewhereWatchesByIPv6(t *testing.T) {
	h := newHousehold(t, 1024, true)
	src := h.home.sourceThatAsks(t)
	id := src.find(t, `(?m)^relay://([a-z2-7]{52})@`)
	wait.Until(t, "the router has opened the firewall", func() error {
		out, errs, _ := h.home.output(t, "doctor")
		if !regexp.MustCompile(`For IPv6 the router at fe80::1%eth0 has opened \[2001:db8:2::2\]:7144 by PCP`).MatchString(out) {
			return fmt.Errorf("the doctor says %s%s", out, errs)
		}
		return nil
	})
	link := "relay://" + id + "@[2001:db8:2::2]:7144"
	h.outside.relay(t, "watch", "watch", link, "--config", filepath.Join(h.outside.dir, "keys")).find(t, `(?m)^Live: `)
	src.signal(t, syscall.SIGINT)
	src.wait(t)
	h.closes(t)
}

// TestARouterThatLiesIsFoundOut has a router that says it has opened the port, and has not.
func TestARouterThatLiesIsFoundOut(t *testing.T) {
	h := newHousehold(t, 1024, false)
	must(t, h.router.run("insert rule inet filter forward iifname \"wan\" ct state new drop\n", "nft", "-f", "-"))
	src := h.outside.relay(t, "source", "source", clip, "--loop", "--no-qr", "--config", filepath.Join(h.outside.dir, "keys"))
	link := src.find(t, `(?m)^(relay://[a-z2-7]{52}@\S+)`)
	w := h.home.relayThatAsks(t, "watch", "watch", link, "--config", filepath.Join(h.home.dir, "keys"))
	w.find(t, `relay: warning: behind a router or a firewall that lets nobody in.* has opened 11\.22\.33\.11:7144 .*but another node did not get through`)
	w.find(t, `relay: hint: .*firewall of this machine let in port 7144`)
}

// TestADeadRouterHoldsNobodyUp has the router die before the source ends.
func TestADeadRouterHoldsNobodyUp(t *testing.T) {
	h := newHousehold(t, 1024, false)
	src := h.home.sourceThatAsks(t)
	src.find(t, `(?m)^Share +relay watch relay://[a-z2-7]{52}@11\.22\.33\.11:7144`)
	must(t, h.router.run("", "ip", "link", "set", "lan", "down"))
	began := time.Now()
	src.signal(t, syscall.SIGINT)
	src.wait(t)
	t.Logf("it ends in %v", time.Since(began).Round(10*time.Millisecond))
}

// TestARouterIsLeftAlone asks nothing of it.
func TestARouterIsLeftAlone(t *testing.T) {
	h := newHousehold(t, 1024, false)
	src := h.home.sourceThatAsks(t, "--no-port-mapping")
	src.find(t, `(?m)^Live: `)
	warning := src.find(t, `relay: warning: (as far as is known, the link leads here from this network alone.*)`)
	src.find(t, `relay: hint: .*forward port 7144, TCP and UDP.*--via HOST/ID`)
	src.signal(t, syscall.SIGINT)
	src.wait(t)
	log, err := os.ReadFile(filepath.Join(h.router.dir, "miniupnpd.log"))
	must(t, err)
	if h.mapped() || regexp.MustCompile(`192\.168\.1\.2`).Match(log) {
		t.Errorf("the router was asked: %s", log)
	}
	t.Log(warning)
}

// TestASourceBehindACarrierSaysSo gives the router an address that a provider shares among homes.
func TestASourceBehindACarrierSaysSo(t *testing.T) {
	h := newHousehold(t, 1024, false)
	must(t, h.router.run("addr del "+wanAddr+"/24 dev wan\naddr add 100.64.0.2/24 dev wan\n", "ip", "-batch", "-"))
	src := h.home.sourceThatAsks(t)
	src.find(t, `relay: warning: as far as is known, the link leads here from this network alone\. The router at 192\.168\.1\.1 .*CGNAT`)
	src.find(t, `relay: hint: .*--via HOST/ID`)
}
