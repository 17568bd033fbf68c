//go:build e2e && linux

package netns

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"relay/cli/abuse/hostile"
	"relay/cli/e2e/internal/attack"
	"relay/cli/e2e/internal/wait"
	"relay/relay/discovery"
)

const (
	// strangers are the addresses that an attacker comes from: a thousand of them, in 64 prefixes.
	strangers = "198.18.0.0/16"
	// neighbours are others of his, in the subnet of those whom he attacks: nobody else is answered who looks
	// for channels.
	neighbours = "10.77.0.128/25"
	// everybody is where queries go. Unlike a broadcast, a packet to a group may be larger than a cable carries.
	everybody = "239.255.71.46"
	// attackTime bounds an attack on a busy machine; half of it is enough on one that is not.
	attackTime = 3 * time.Minute
)

// besieged is a swarm whose source is reached at all its ports, and a host that attacks it.
type besieged struct {
	*swarm
	admin    string
	attacker *host
}

func newBesieged(t *testing.T) besieged {
	t.Helper()
	const watchers, spare = 2, 2
	s := &swarm{net: newNetwork(t, 1+watchers+spare), dir: folder(t)}
	for _, h := range s.net.hosts[:1+watchers] {
		s.nodes = append(s.nodes, newNode(h, 2))
	}
	at := s.nodes[0].addr
	b := besieged{s, at + ":7147", s.net.hosts[1+watchers]}
	s.nodes[0].name, s.nodes[0].children = "source", 4
	s.via = []string{"--http", "0.0.0.0:7145", "--rtmp", at + ":1935", "--admin", b.admin, "--discovery-interfaces", nic, "--peercast"}
	must(t, b.attacker.run("", "ip", "route", "add", "local", strangers, "dev", "lo"))
	// The system sends a packet to a group by the interface that has its sender's address.
	var addrs strings.Builder
	for a := netip.MustParsePrefix(neighbours).Addr().Next(); netip.MustParsePrefix(neighbours).Contains(a.Next()); a = a.Next() {
		fmt.Fprintf(&addrs, "addr add %s/32 dev %s\n", a, nic)
	}
	must(t, b.attacker.run(addrs.String()+"route add "+everybody+" dev "+nic+"\n", "ip", "-batch", "-"))
	for _, n := range s.nodes {
		must(t, n.run("", "ip", "route", "add", strangers, "via", b.attacker.addr))
	}
	s.startSource(t)
	s.startWatchers(t)
	s.settle(t)
	for _, n := range s.nodes {
		n.player.forget()
	}
	return b
}

// attack runs relay abuse against the source from addresses of the attacker's, and reports every bar that
// was missed. What is done meanwhile begins when the first of the inputs are over.
func (b besieged) attack(t *testing.T, from string, meanwhile func(), args ...string) {
	t.Helper()
	log := filepath.Join(b.dir, "abuse "+strings.ReplaceAll(from, "/", "-")+".log")
	p := b.attacker.start(t, "abuse", log, relayBin,
		attack.Args(b.link, append(args, "--from", from, "--admin", b.admin, "--tag-log", b.ledger.runs[0].path, "--for", "1s")...)...)
	p.find(t, `honest newcomers`)
	meanwhile()
	select {
	case <-p.ended:
	case <-time.After(attackTime):
		t.Fatalf("the attack is not over after %v", attackTime)
	}
	said, err := os.ReadFile(log)
	must(t, err)
	attack.Judge(t, string(said), "", p.cmd.ProcessState.ExitCode())
}

// sound checks that nothing has crashed, and that no player has missed or repeated anything.
func (b besieged) sound(t *testing.T, when string, since time.Time) {
	t.Helper()
	b.settle(t)
	b.unharmed(t, when, since)
	for _, n := range b.nodes {
		said, err := os.ReadFile(n.process.log)
		must(t, err)
		if m := attack.Fault.Find(said); m != nil || !n.process.running() {
			t.Errorf("%s: it runs: %v; it says %q", n.name, n.process.running(), m)
		}
	}
}

// leaves has a watcher end, and checks what its player got.
func (b besieged) leaves(t *testing.T, n *node) {
	t.Helper()
	b.settle(t)
	n.process.signal(t, syscall.SIGTERM)
	n.process.wait(t)
	if f := n.player.faults; f.any() {
		t.Errorf("%s: lost %d tags, got %d twice, %d that are none of the source's: %v", n.player.name, f.lost, f.repeated, f.alien, f.notes)
	}
	b.nodes = slices.DeleteFunc(b.nodes, func(o *node) bool { return o == n })
}

// TestAnAttackFromManyAddressesTakesNothing has a host with a thousand addresses attack the source of a
// swarm at every port, while others watch, one more comes, and one leaves: what the source holds for a
// child is not to be taken for what the strangers left there.
func TestAnAttackFromManyAddressesTakesNothing(t *testing.T) {
	b := newBesieged(t)
	began := time.Now()
	b.attack(t, strangers, func() {
		came := time.Now()
		n := b.newcomer(t, b.net.hosts[len(b.net.hosts)-1], 1)
		t.Logf("%s plays %v after it was started, during the attack", n.name, time.Since(came).Round(time.Millisecond))
		b.leaves(t, b.watchers()[0])
	}, "--peercast", b.source().addr+":7144") // which is the port for links
	b.sound(t, "during the attack", began)
	t.Logf("all that took %v", time.Since(began).Round(time.Second))
}

// TestWhoLooksForChannelsIsNoWeapon has a host ask for channels from a hundred addresses of the network, from
// some that are not of it, and for those that nobody is to find.
func TestWhoLooksForChannelsIsNoWeapon(t *testing.T) {
	b := newBesieged(t)
	began := time.Now()
	// A source with nothing but a private channel is on the same host.
	private := b.source().start(t, "private", filepath.Join(b.dir, "private.log"), relayBin, "source", clip, "--loop", "--private",
		"--listen", b.source().addr+":7244", "--http", "127.0.0.1:0", "--admin", "off", "--config", filepath.Join(b.dir, "private.keys"), "--discovery-interfaces", nic)
	id := private.find(t, `(?m)^relay://([a-z2-7]{52})@`)
	b.attack(t, neighbours, func() {}, "--only", "discovery", "--discovery", fmt.Sprintf("%s:%d", everybody, discovery.DefaultPort))

	b.stays(t, "198.18.0.77", "10.77.0.255")
	looker := &machine{host: b.attacker, dir: b.dir}
	if all := looker.listed(t); len(all) != 1 || !strings.Contains(b.link, all[0].ID) || all[0].ID == id {
		t.Errorf("relay list finds %v; %s is private", all, id)
	}
	if !private.running() {
		t.Error("the private channel's source has ended")
	}
	b.sound(t, "while others looked for channels", began)
}

// stays asks for channels from an address that is of another network, where an answer could hit somebody
// else, and waits until that was counted.
func (b besieged) stays(t *testing.T, from, to string) {
	t.Helper()
	var conn *net.UDPConn
	must(t, b.attacker.do(func() (err error) {
		conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(from)})
		return err
	}))
	defer conn.Close()
	wait.Until(t, "it is counted", func() error {
		if strings.Contains(b.metrics(t), `relay_refused_strangers_total{at="discovery",reason="elsewhere"}`) {
			return nil
		}
		_, err := conn.WriteToUDPAddrPort(hostile.Query(1), netip.AddrPortFrom(netip.MustParseAddr(to), discovery.DefaultPort))
		return errors.Join(errors.New("it is not"), err)
	})
	must(t, conn.SetReadDeadline(time.Now().Add(time.Second)))
	if n, _, err := conn.ReadFromUDPAddrPort(make([]byte, 2048)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes came to %s, %v", n, from, err)
	}
}

// metrics are the source's.
func (b besieged) metrics(t *testing.T) string {
	t.Helper()
	resp, err := b.source().api.Get("http://" + b.admin + "/metrics")
	must(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(t, err)
	return string(text)
}
