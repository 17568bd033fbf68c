//go:build e2e && linux

package netns

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"relay/cli/e2e/internal/program"
)

// lan is a network into which a test can plug machines at any time.
type lan struct {
	bridge *space
	cables int
}

func newLAN(t *testing.T) *lan {
	t.Helper()
	l := &lan{bridge: spaceFor(t)}
	must(t, l.bridge.run("link add br0 type bridge mcast_snooping 0\nlink set br0 up\n", "ip", "-batch", "-"))
	return l
}

// machine is a namespace without a cable.
type machine struct {
	*host
	dir string // keys, logs
}

// newMachine makes a machine, with IPv6 addresses only if the caller asks for them. There are
// no default routes.
func newMachine(t *testing.T, name string, ipv6 bool) *machine {
	t.Helper()
	m := &machine{host: &host{space: spaceFor(t)}, dir: filepath.Join(t.TempDir(), name)}
	must(t, os.Mkdir(m.dir, 0o755))
	// Addresses are usable at once: nobody else has them.
	m.set(t, "accept_dad", "0")
	if !ipv6 {
		m.set(t, "disable_ipv6", "1")
	}
	return m
}

func (m *machine) set(t *testing.T, name, value string) {
	t.Helper()
	must(t, m.do(func() error {
		for _, of := range []string{"all", "default"} {
			if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+of+"/"+name, []byte(value), 0o644); err != nil {
				return err
			}
		}
		return nil
	}))
}

// plug gives the machine a cable into the network, and the interface addresses.
func (l *lan) plug(t *testing.T, m *machine, nic string, addrs ...string) {
	t.Helper()
	l.cables++
	port := fmt.Sprintf("port%d", l.cables)
	must(t, l.bridge.run(fmt.Sprintf("link add %s type veth peer name %s netns %s\nlink set %s master br0 up\n",
		port, nic, m.path(), port), "ip", "-batch", "-"))
	var b strings.Builder
	for _, a := range addrs {
		fmt.Fprintf(&b, "addr add %s dev %s\n", a, nic)
	}
	fmt.Fprintf(&b, "link set %s up\n", nic)
	must(t, m.run(b.String(), "ip", "-batch", "-"))
}

// relay starts relay on the machine, on all its interfaces, until the test ends.
func (m *machine) relay(t *testing.T, name string, args ...string) *process {
	t.Helper()
	all := append([]string{"RELAY_DISCOVERY_INTERFACES=", relayBin}, args...)
	return m.start(t, name, filepath.Join(m.dir, name+".log"), "env", all...)
}

// source starts a source that loops a clip, and returns its channel's ID.
func (m *machine) source(t *testing.T, name string, args ...string) (id string) {
	t.Helper()
	p := m.relay(t, name, append([]string{"source", clip, "--loop", "--config", filepath.Join(m.dir, "keys"), "--channel", name}, args...)...)
	return p.find(t, `(?m)^relay://([a-z2-7]{52})@`)
}

// output runs relay on the machine to its end and returns what it wrote.
func (m *machine) output(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := program.Command(relayBin, args...)
	cmd.Env = append(cmd.Env, "RELAY_DISCOVERY_INTERFACES=")
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	must(t, m.do(cmd.Start))
	_ = cmd.Wait() // the exit code tells
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// busy returns the processor time of the process, in steps of 10 ms.
func (p *process) busy(t *testing.T) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	must(t, err)
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	var ticks int // of 10 ms, on every Linux
	for _, s := range f[11:13] {
		n, err := strconv.Atoi(s)
		must(t, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
