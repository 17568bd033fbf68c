//go:build e2e

package portmap

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// These tests map ports in Debian's miniupnpd, between network namespaces: somebody outside,
// a router, and a home behind it. They need root, ip, nft, nsenter and miniupnpd.

// Addresses of the tests' little world.
const (
	outside4, outside6 = "11.22.33.1", "2001:db8:1::1"
	wan4, wan6         = "11.22.33.11", "2001:db8:1::11"
	lan4, lan6         = "192.168.1.1", "2001:db8:2::1"
	home4, home6       = "192.168.1.2", "2001:db8:2::2"
)

// roleEnv has this program be somebody else in a namespace: "home", or "dial ADDRESS".
const roleEnv = "RELAY_PORTMAP_TEST_ROLE"

func TestMain(m *testing.M) {
	role, to, _ := strings.Cut(os.Getenv(roleEnv), " ")
	var err error
	switch role {
	case "home":
		err = beHome()
	case "dial":
		err = dialOnce(to)
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// toldState is a state as the home tells it, one in a line.
type toldState struct {
	Mappings []Mapping
	Failures []Failure
	Why      string
}

// beHome serves the port and keeps it mapped until its standard input ends.
func beHome() error {
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // ends with the input
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	ln, err := net.Listen("tcp", ":7144")
	if err != nil {
		return err
	}
	go func() { // ends with the process
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "hello")
			c.Close()
		}
	}()
	pc, err := net.ListenPacket("udp", ":7144")
	if err != nil {
		return err
	}
	go func() { // ends with the process
		b := make([]byte, 10)
		for {
			if _, from, err := pc.ReadFrom(b); err == nil {
				pc.WriteTo([]byte("hello"), from)
			}
		}
	}()
	faster := usual
	faster.check = time.Second
	out := json.NewEncoder(os.Stdout)
	m := &Mapper{
		Port: 7144, timing: &faster,
		Gateways: func() []netip.Addr {
			return []netip.Addr{netip.MustParseAddr(lan4), netip.MustParseAddr("fe80::1%eth0")}
		},
		Changed: func(s State) { out.Encode(toldState{s.Mappings, s.Failures, s.Why().String()}) },
	}
	if os.Getenv("RELAY_PORTMAP_TEST_IPV6") != "" {
		m.Globals = func() []netip.Addr { return []netip.Addr{netip.MustParseAddr(home6)} }
	}
	return m.Run(ctx)
}

// dialOnce tries TCP and UDP at an address.
func dialOnce(to string) error {
	c, err := net.DialTimeout("tcp", to, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	if b, err := io.ReadAll(c); err != nil || string(b) != "hello" {
		return fmt.Errorf("%q, %w", b, err)
	}
	u, err := net.Dial("udp", to)
	if err != nil {
		return err
	}
	defer u.Close()
	u.SetDeadline(time.Now().Add(time.Second))
	u.Write([]byte("x"))
	b := make([]byte, 10)
	if n, err := u.Read(b); err != nil || string(b[:n]) != "hello" {
		return fmt.Errorf("UDP: %q, %w", b[:n], err)
	}
	return nil
}

// space is a network namespace. It vanishes with this process: what holds it is a program
// that waits for the end of its input.
type space struct{ pid string }

func newSpace(t *testing.T) space {
	t.Helper()
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	check(t, err)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	check(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	s := space{fmt.Sprint(cmd.Process.Pid)}
	s.run(t, "", "ip", "link", "set", "lo", "up")
	s.run(t, "", "sh", "-ec", "cd /proc/sys/net; echo 1 >ipv4/ip_forward; echo 1 >ipv6/conf/all/forwarding; echo 0 >ipv6/conf/default/accept_dad")
	return s
}

func (s space) command(name string, args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"-t", s.pid, "-n", name}, args...)...)
}

func (s space) run(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	cmd := s.command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s%s", cmd.Args, err, out, stdin)
	}
	return string(out)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is somebody outside, a router and a home.
type world struct {
	outside, router, home space
	dir                   string
}

// rules are the router's: nothing new comes in but what miniupnpd lets in.
const rules = `
table inet filter {
	chain forward {
		type filter hook forward priority 0; policy drop;
		ct state established,related accept
		iifname "lan" oifname "wan" accept
		meta l4proto ipv6-icmp accept
		jump miniupnpd
	}
	chain input {
		type filter hook input priority 0; policy accept;
		ct state established,related accept
		meta l4proto ipv6-icmp accept
		iifname "wan" drop
		jump quiet
	}
	chain quiet { }
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

const settings = `
ext_ifname=wan
ext_ifname6=wan
listening_ip=lan
enable_natpmp=%s
enable_upnp=yes
secure_mode=yes
system_uptime=no
uuid=7a212afe-b243-4445-bbb7-4543fc1f99cf
upnp_table_name=filter
upnp_nat_table_name=filter
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
allow 1024-65535 192.168.1.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`

func newWorld(t *testing.T) *world {
	w := &world{outside: newSpace(t), router: newSpace(t), home: newSpace(t), dir: t.TempDir()}
	w.router.run(t, fmt.Sprintf(`link add wan type veth peer name eth0 netns %s
link add lan type veth peer name eth0 netns %s
addr add %s/24 dev wan
addr add %s/64 dev wan nodad
addr add %s/24 dev lan
addr add %s/64 dev lan nodad
addr add fe80::1/64 dev lan nodad
link set wan up
link set lan up
`, w.outside.pid, w.home.pid, wan4, wan6, lan4, lan6), "ip", "-batch", "-")
	w.outside.run(t, fmt.Sprintf("addr add %s/24 dev eth0\naddr add %s/64 dev eth0 nodad\nlink set eth0 up\nroute add default via %s\nroute add 2001:db8:2::/64 via %s\n",
		outside4, outside6, wan4, wan6), "ip", "-batch", "-")
	w.home.run(t, fmt.Sprintf("addr add %s/24 dev eth0\naddr add %s/64 dev eth0 nodad\nlink set eth0 up\nroute add default via %s\nroute add default via fe80::1 dev eth0\n",
		home4, home6, lan4), "ip", "-batch", "-")
	w.router.run(t, rules, "nft", "-f", "-")
	return w
}

// quiet has the router drop what matches.
func (w *world) quiet(t *testing.T, match string) {
	t.Helper()
	w.router.run(t, "add rule inet filter quiet "+match+" drop\n", "nft", "-f", "-")
}

// serve runs miniupnpd until it is told to stop.
func (w *world) serve(t *testing.T, natpmp string) (stop func()) {
	t.Helper()
	conf := filepath.Join(w.dir, "upnp.conf")
	check(t, os.WriteFile(conf, []byte(fmt.Sprintf(settings, natpmp)), 0o644))
	cmd := w.router.command("miniupnpd", "-d", "-f", conf, "-P", filepath.Join(w.dir, "pid"))
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	check(t, cmd.Start())
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cmd.Process.Signal(syscall.SIGTERM)
			cmd.Wait()
			if t.Failed() || testing.Verbose() && os.Getenv("RELAY_PORTMAP_TEST_LOG") != "" {
				t.Logf("miniupnpd: %s", log.String())
			}
		})
	}
	t.Cleanup(stop)
	listens(t, cmd.Process.Pid, ssdpPort)
	if natpmp == "yes" {
		listens(t, cmd.Process.Pid, pcpPort)
	}
	return stop
}

// The ports at which a router is asked, UDP, as the kernel lists them.
const (
	ssdpPort = ":076C " // 1900
	pcpPort  = ":14E7 " // 5351
)

// listens waits until a port is open in the namespace of a process.
func listens(t *testing.T, pid int, port string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/udp", pid))
		check(t, err)
		if bytes.Contains(b, []byte(port)) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("nobody listens at %s: %s", port, b)
		}
	}
}

// mapperAway is a mapper that runs in the home.
type mapperAway struct {
	cmd    *exec.Cmd
	in     io.Closer
	mu     sync.Mutex
	states []toldState
	ended  chan struct{}
}

func (w *world) mapPort(t *testing.T, env ...string) *mapperAway {
	t.Helper()
	r := &mapperAway{cmd: w.home.command(os.Args[0]), ended: make(chan struct{})}
	r.cmd.Env = append(append(os.Environ(), roleEnv+"=home"), env...)
	r.cmd.Stderr = os.Stderr
	in, err := r.cmd.StdinPipe()
	check(t, err)
	r.in = in
	out, err := r.cmd.StdoutPipe()
	check(t, err)
	check(t, r.cmd.Start())
	go func() { // ends with the program
		defer close(r.ended)
		for s := bufio.NewScanner(out); s.Scan(); {
			var st toldState
			if json.Unmarshal(s.Bytes(), &st) == nil {
				r.mu.Lock()
				r.states = append(r.states, st)
				r.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *mapperAway) last() (s toldState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.states); n > 0 {
		s = r.states[n-1]
	}
	return s
}

func (r *mapperAway) stop() time.Duration {
	start := time.Now()
	r.in.Close()
	<-r.ended
	r.cmd.Wait()
	return time.Since(start)
}

func (r *mapperAway) until(t *testing.T, want string, ok func(toldState) bool) toldState {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if s := r.last(); ok(s) {
			return s
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %+v", want, r.last())
		}
	}
}

func (w *world) dial(to string) error {
	cmd := w.outside.command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"=dial "+to)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

const publicPort4 = wan4 + ":7144"

// ways is how a router is made to speak one protocol alone. The byte that is looked at is
// the version in front of PCP and NAT-PMP.
var ways = map[Protocol]struct {
	natpmp string
	quiet  []string
}{
	PCP:    {"yes", []string{"udp dport 5351 @th,64,8 0", "udp dport 1900"}},
	NATPMP: {"yes", []string{"udp dport 5351 @th,64,8 2", "udp dport 1900"}},
	UPnP:   {"no", nil},
}

// eachWay runs f for each protocol, with a router that has no other.
func eachWay(t *testing.T, f func(t *testing.T, w *world, p Protocol, natpmp string)) {
	for p, way := range ways {
		t.Run(string(p), func(t *testing.T) {
			w := newWorld(t)
			for _, q := range way.quiet {
				w.quiet(t, q)
			}
			f(t, w, p, way.natpmp)
		})
	}
}

func TestARealRouterMapsByEachProtocolAlone(t *testing.T) {
	eachWay(t, func(t *testing.T, w *world, p Protocol, natpmp string) {
		w.serve(t, natpmp)
		if err := w.dial(publicPort4); err == nil {
			t.Fatal("the port is open already")
		}
		start := time.Now()
		home := w.mapPort(t)
		s := home.until(t, "a mapping", func(s toldState) bool { return len(s.Mappings) > 0 })
		t.Logf("after %v: %+v", time.Since(start), s.Mappings[0])
		if m := s.Mappings[0]; m.Protocol != p || m.External.String() != publicPort4 || m.UDP != 7144 || s.Why != "none" {
			t.Errorf("%+v", s)
		}
		if err := w.dial(publicPort4); err != nil {
			t.Errorf("nobody gets in: %v", err)
		}
		t.Logf("the end took %v", home.stop())
		if err := w.dial(publicPort4); err == nil {
			t.Error("the port is open still")
		}
		if got := w.router.run(t, "", "nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd"); strings.Contains(got, "7144") {
			t.Errorf("left: %s", got)
		}
	})
}

func TestARealRouterThatStartsAgainMapsAgain(t *testing.T) {
	eachWay(t, func(t *testing.T, w *world, p Protocol, natpmp string) {
		stop := w.serve(t, natpmp)
		time.Sleep(4 * time.Second) // else its clock has nowhere to go back to
		home := w.mapPort(t)
		home.until(t, "a mapping", func(s toldState) bool { return len(s.Mappings) > 0 })
		check(t, w.dial(publicPort4))
		time.Sleep(2 * time.Second)
		stop()
		w.router.run(t, "flush chain inet filter prerouting_miniupnpd\nflush chain inet filter miniupnpd\n", "nft", "-f", "-")
		if err := w.dial(publicPort4); err == nil {
			t.Fatal("the port is open without a router")
		}
		w.serve(t, natpmp)
		start := time.Now()
		for w.dial(publicPort4) != nil {
			if time.Since(start) > 20*time.Second {
				t.Fatalf("nobody gets in; %+v", home.last())
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Logf("open again %v after the router, asked each second", time.Since(start))
	})
}

// All that the router offers is on; the best of it is used.
func TestARealRouterIsAskedByPCPFirst(t *testing.T) {
	w := newWorld(t)
	w.serve(t, "yes")
	home := w.mapPort(t)
	s := home.until(t, "a mapping", func(s toldState) bool { return len(s.Mappings) > 0 })
	if s.Mappings[0].Protocol != PCP {
		t.Errorf("%+v", s)
	}
}

func TestARealRouterOpensAPinhole(t *testing.T) {
	for p, quiet := range map[Protocol]string{PCP: "udp dport 1900", UPnP: "udp dport 5351"} {
		t.Run(string(p), func(t *testing.T) {
			w := newWorld(t)
			w.quiet(t, quiet)
			w.serve(t, "yes")
			const at = "[" + home6 + "]:7144"
			if err := w.dial(at); err == nil {
				t.Fatal("the port is open already")
			}
			home := w.mapPort(t, "RELAY_PORTMAP_TEST_IPV6=1")
			has := func(s toldState) bool {
				for _, m := range s.Mappings {
					if m.External.String() == at && m.Protocol == p {
						return true
					}
				}
				return false
			}
			t.Logf("%+v", home.until(t, "a pinhole", has))
			if err := w.dial(at); err != nil {
				t.Errorf("nobody gets in: %v\n%s", err, w.router.run(t, "", "nft", "list", "ruleset"))
			}
			home.stop()
			if err := w.dial(at); err == nil {
				t.Error("the port is open still")
			}
		})
	}
}

// A router behind another one, or behind a provider's: miniupnpd hides its address and maps
// nothing, and each protocol tells it otherwise.
func TestARealRouterWithoutAPublicAddressIsNamed(t *testing.T) {
	for _, address := range []string{"100.64.0.2", "192.168.178.2"} {
		w := newWorld(t)
		w.router.run(t, "addr del "+wan4+"/24 dev wan\naddr add "+address+"/24 dev wan\n", "ip", "-batch", "-")
		w.serve(t, "yes")
		home := w.mapPort(t)
		s := home.until(t, "an answer", func(s toldState) bool { return len(s.Failures)+len(s.Mappings) > 0 })
		t.Logf("%+v", s)
		if s.Why != NoAddress.String() {
			t.Errorf("%s: %s", address, s.Why)
		}
	}
}
