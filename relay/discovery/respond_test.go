package discovery

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"relay/relay/multicast"
)

var start = time.Unix(1e9, 0)

// office is a machine with two networks, a VPN and a network that holds everything.
func office() []multicast.Interface {
	made := func(index int, name string, flags net.Flags, prefixes ...string) multicast.Interface {
		n := multicast.Interface{Interface: net.Interface{Index: index, Name: name, Flags: net.FlagUp | flags}}
		for _, p := range prefixes {
			n.Prefixes = append(n.Prefixes, netip.MustParsePrefix(p))
		}
		return n
	}
	return []multicast.Interface{
		made(1, "lo", net.FlagLoopback, "127.0.0.1/8", "::1/128"),
		made(2, "eth0", 0, "192.168.1.5/24", "2001:db8:1::5/64", "fe80::5/64"),
		made(3, "eth1", 0, "10.1.0.5/16", "fe80::6/64"),
		made(4, "tun0", net.FlagPointToPoint, "10.8.0.5/24"),
		made(5, "odd0", 0, "198.51.100.1/0"),
	}
}

func testDesk(link string, channels func() []Channel) *desk {
	d := newDesk(Responder{Link: netip.MustParseAddrPort(link), Channels: channels})
	d.ifs, d.looked = office(), start.Add(time.Hour) // no look at this machine
	return d
}

func oneChannel() []Channel { return channelsOf("one") }

func TestOnlyOwnSubnetsAreAnswered(t *testing.T) {
	for _, c := range []struct {
		link, from string
		index      int
		src        string // "" for no answer
	}{
		{"0.0.0.0:7144", "192.168.1.77", 2, "192.168.1.5"},
		{"[::]:7144", "192.168.1.77", 2, "192.168.1.5"},
		{"[::]:7144", "192.168.1.77", 0, "192.168.1.5"}, // a system that does not tell
		{"[::]:7144", "2001:db8:1::77", 2, "2001:db8:1::5"},
		{"[::]:7144", "fe80::77%eth0", 2, "fe80::5"},
		{"[::]:7144", "fe80::77%eth1", 3, "fe80::6"},
		{"[::]:7144", "127.0.0.1", 1, "127.0.0.1"},
		{"[::]:7144", "192.168.1.77", 3, ""}, // by the wrong cable
		{"[::]:7144", "192.168.2.77", 2, ""},
		{"[::]:7144", "8.8.8.8", 2, ""},
		{"[::]:7144", "8.8.8.8", 5, ""},
		{"[::]:7144", "10.8.0.77", 4, ""},
		{"[::]:7144", "2001:db8:2::77", 2, ""},
		{"192.168.1.5:7144", "192.168.1.77", 2, "192.168.1.5"},
		{"192.168.1.5:7144", "10.1.0.77", 3, ""}, // could not reach the node
		{"192.168.1.5:7144", "fe80::77%eth0", 2, ""},
		{"127.0.0.1:7144", "192.168.1.77", 2, ""},
		{"127.0.0.1:7144", "127.0.0.1", 1, "127.0.0.1"},
	} {
		d := testDesk(c.link, oneChannel)
		from := netip.AddrPortFrom(netip.MustParseAddr(c.from), 40000)
		b, src, by := d.answer(start, query{nonce: 1}, from, c.index)
		if (b != nil) != (c.src != "") || b != nil && (src.String() != c.src || by != c.index) {
			t.Errorf("%s at %s, index %d: answered %v from %v by %d, want %q", c.link, c.from, c.index, b != nil, src, by, c.src)
		}
		if a, err := parseAnswer(b); b != nil && (err != nil || a.nonce != 1 || a.port != 7144) {
			t.Errorf("%v, %v", a, err)
		}
	}
}

func TestWhoHasNoChannelSaysNothing(t *testing.T) {
	d := testDesk("[::]:7144", func() []Channel { return nil })
	if b, _, _ := d.answer(start, query{nonce: 1}, netip.MustParseAddrPort("192.168.1.77:1"), 2); b != nil {
		t.Errorf("answered %q", b)
	}
}

func TestCopyOfAQueryIsAnsweredOnce(t *testing.T) {
	d := testDesk("[::]:7144", oneChannel)
	ask := func(from string, q query) bool {
		b, _, _ := d.answer(start, q, netip.MustParseAddrPort(from), 0)
		return b != nil
	}
	for i, c := range []struct {
		from string
		query
		want bool
	}{
		{"192.168.1.77:1", query{1, 0}, true},
		{"192.168.1.77:1", query{1, 0}, false}, // the broadcast behind the multicast
		{"192.168.1.77:1", query{1, 1}, true},
		{"192.168.1.77:1", query{2, 1}, true}, // another asker there
		{"192.168.1.78:1", query{2, 1}, true},
	} {
		if got := ask(c.from, c.query); got != c.want {
			t.Errorf("%d: answered: %v", i, got)
		}
	}
}

func TestFloodIsAnsweredAtABoundedRate(t *testing.T) {
	calls := 0
	d := testDesk("[::]:7144", func() []Channel { calls++; return channelsOf(strings.Repeat("x", MaxTitle)) })
	const seconds, perSecond = 10, 20000
	answered := make(map[bool]int) // by whether there is one source or many
	for _, many := range []bool{false, true} {
		for i := range seconds * perSecond {
			now := start.Add(time.Duration(i) * time.Second / perSecond)
			from := netip.AddrPortFrom(netip.MustParseAddr("10.1.7.7"), 9)
			if many {
				from = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 9)
				now = now.Add(seconds * time.Second)
			}
			if b, _, _ := d.answer(now, query{nonce: uint64(i) + 1}, from, 3); b != nil {
				answered[many]++
			}
		}
	}
	if most := sourceBurst + seconds*sourceRate; answered[false] > most || answered[false] < most-1 {
		t.Errorf("one source got %d answers in %d s, want %d", answered[false], seconds, most)
	}
	if most := answerBurst + seconds*answerRate; answered[true] > most || answered[true] < most-1 {
		t.Errorf("many sources got %d answers in %d s, want %d", answered[true], seconds, most)
	}
	if most := 2*seconds*int(time.Second/channelsAge) + 2; calls > most {
		t.Errorf("the node was asked for its channels %d times, want %d at most", calls, most)
	}
}

// TestWhatAMachineRunsMayAskAtOnce has relays look for channels at the same time from one address, each
// by multicast and by broadcast.
func TestWhatAMachineRunsMayAskAtOnce(t *testing.T) {
	for _, c := range []struct {
		name, from string
		relays     int
	}{
		{"two of a neighbour", "10.1.7.7:9", 2},
		{"six of this machine", "10.1.0.5:9", 6},
		{"six of this machine, on the loopback", "127.0.0.1:9", 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := testDesk("[::]:7144", oneChannel)
			for round := range uint8(13) { // in 1.05 s
				answered := make(map[uint64]bool)
				for range 2 {
					for nonce := range uint64(c.relays) {
						b, _, _ := d.answer(start.Add(time.Duration(round)*80*time.Millisecond), query{nonce, round}, netip.MustParseAddrPort(c.from), 0)
						answered[nonce] = answered[nonce] || b != nil
					}
				}
				for nonce, ok := range answered {
					if !ok {
						t.Errorf("relay %d gets no answer in round %d", nonce, round)
					}
				}
			}
		})
	}
}

func TestRefusedPacketCostsNoMemory(t *testing.T) {
	d := testDesk("[::]:7144", oneChannel)
	strange, junk := netip.MustParseAddrPort("203.0.113.9:9"), []byte(strings.Repeat("junk", PacketSize/4))
	greedy, nonce := netip.MustParseAddrPort("192.168.1.77:9"), uint64(0)
	for range sourceBurst { // used up
		nonce++
		d.answer(start, query{nonce: nonce}, greedy, 2)
	}
	packet := query{}.append(nil)
	for name, f := range map[string]func(){
		"junk":     func() { parseQuery(junk) },
		"stranger": func() { d.answer(start, query{nonce: 1}, strange, 2) },
		"greedy": func() {
			nonce++
			binary.BigEndian.PutUint64(packet[8:], nonce)
			q, err := parseQuery(packet)
			if err != nil {
				t.Fatal(err)
			}
			if b, _, _ := d.answer(start, q, greedy, 2); b != nil {
				t.Fatal("it is answered")
			}
		},
	} {
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestSubnetsBroadcastAddress(t *testing.T) {
	for in, want := range map[string]string{
		"192.168.1.5/24":   "192.168.1.255",
		"10.1.2.3/8":       "10.255.255.255",
		"172.16.5.5/20":    "172.16.15.255",
		"192.0.2.1/30":     "192.0.2.3",
		"127.0.0.1/8":      "127.255.255.255",
		"192.0.2.1/31":     "",
		"192.0.2.1/32":     "",
		"192.0.2.1/0":      "",
		"2001:db8::1/64":   "",
		"255.255.255.1/24": "255.255.255.255",
	} {
		got, ok := broadcast(netip.MustParsePrefix(in))
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%s: %v, %v, want %q", in, got, ok, want)
		}
	}
}

func TestIPv6IsAskedFromOneAddressAndIPv4FromAll(t *testing.T) {
	var got []string
	for _, i := range office()[1:3] {
		for _, p := range askable(i) {
			got = append(got, p.Addr().String())
		}
	}
	if s := strings.Join(got, " "); s != "192.168.1.5 fe80::5 10.1.0.5 fe80::6" {
		t.Errorf("asked from %s", s)
	}
	n := multicast.Interface{Prefixes: []netip.Prefix{netip.MustParsePrefix("2001:db8::1/64"), netip.MustParsePrefix("2001:db8::2/64")}}
	if got := askable(n); len(got) != 1 || got[0] != n.Prefixes[0] {
		t.Errorf("without a link-local address: %v", got)
	}
}
