//go:build e2e && linux

package netns

import (
	"fmt"
	"strings"
	"testing"
)

// provider is a carrier's router: the homes behind it have one address of the Internet together.
type provider struct {
	*machine
	line, homes int
}

// carrierAddr is what the homes behind a carrier's router lead to.
const carrierAddr = "100.64.0.1"

func (n *internet) provide(t *testing.T, name string) *provider {
	t.Helper()
	p := &provider{machine: newMachine(t, name, false)}
	p.line = n.connect(t, p.machine, "wan", false)
	p.batch(t, "link add lan type bridge", "link set lan up", "addr add "+carrierAddr+"/10 dev lan")
	p.translate(t, restricted)
	return p
}

// reside connects a home with a router of its own.
func (p *provider) reside(t *testing.T, name string) *residence {
	t.Helper()
	r := &residence{kind: carrier, line: p.line, router: newMachine(t, name+"-router", false)}
	p.homes++
	port := fmt.Sprintf("home%d", p.homes)
	cable(t, p.machine, port, r.router, "wan")
	p.batch(t, "link set "+port+" master lan")
	r.router.batch(t, fmt.Sprintf("addr add 100.64.0.%d/10 dev wan", 1+p.homes), "route add default via "+carrierAddr)
	r.furnish(t, name)
	return r
}

// hairpin has the carrier's router send on what a home sends to its outer address, to the home for
// which the port there stands, as if it came from outside (RFC 6888, REQ-9).
func (p *provider) hairpin(t *testing.T) {
	t.Helper()
	for _, name := range []string{"all", "lan"} { // they are to go by way of it
		must(t, p.do(func() error { return writeSetting("ipv4/conf/"+name+"/send_redirects", "0") }))
	}
	must(t, p.run(strings.ReplaceAll(`table ip hairpin {
	map homes {
		type inet_service : ipv4_addr . inet_service
		flags dynamic
		size 4096
	}
	chain forward {
		type filter hook forward priority 0;
		iifname "lan" oifname "wan" tcp flags & (syn | ack) == syn update @homes { tcp sport : ip saddr . tcp sport }
	}
	chain prerouting {
		type nat hook prerouting priority -101;
		iifname "lan" ip daddr WAN meta l4proto tcp dnat ip to tcp dport map @homes
	}
	chain postrouting {
		type nat hook postrouting priority 99;
		oifname "lan" ct status dnat snat to WAN
	}
}
`, "WAN", fmt.Sprintf("198.51.100.%d", p.line)), "nft", "-f", "-"))
}

// TestTwoHomesOfOneCarrierMeet has two homes, each behind a router of its own, at one address of a
// carrier's. They get through to each other if the carrier's router lets one home reach another at
// that address; neither knows an address of the other's that is any nearer. If it does not, the second
// plays once somebody who can be dialled has come.
func TestTwoHomesOfOneCarrierMeet(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		t.Run(fmt.Sprintf("hairpin %v", on), func(t *testing.T) {
			t.Parallel()
			n := newInternet(t)
			p := n.provide(t, "carrier")
			if on {
				p.hairpin(t)
			}
			o := outcome{pair: pair{carrier, carrier}}
			link, second := o.meet(t, n.reside(t, "source", open), p.reside(t, "first"), p.reside(t, "second"), on)
			t.Logf("of one carrier:\n%s", tabled([]outcome{o}))
			n.reside(t, "third", open).run(t, "watch", link, "--max-children", "2").find(t, `(?m)^(Live: )`)
			second.find(t, `(?m)^(Live: )`)
		})
	}
}
