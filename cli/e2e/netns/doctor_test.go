//go:build e2e && linux

package netns

import (
	"path/filepath"
	"strings"
	"testing"
)

// letsIn has the machine's firewall let in one kind of packet at relay's port, besides what it asked for.
func (m *machine) letsIn(t *testing.T, proto string) {
	t.Helper()
	m.shut(t)
	must(t, m.run("add rule inet wall input "+proto+" dport 7144 accept\n", "nft", "-f", "-"))
}

// TestTheDoctorHasTheMachineDialled asks it at machines whose firewalls let in all, nothing, or one
// of TCP and UDP, by turns without a relay that runs there and with one.
func TestTheDoctorHasTheMachineDialled(t *testing.T) {
	t.Parallel()
	internet := newLAN(t)
	src := internet.home(t, "source", 1)
	p := src.relay(t, "source", "source", clip, "--loop", "--no-qr", "--config", filepath.Join(src.dir, "keys"))
	link := p.find(t, `(?m)^(relay://[a-z2-7]{52}@\S+)`)
	for i, c := range []struct {
		name string
		wall func(m *machine)
		says string
	}{
		{"open", func(*machine) {}, "✓ 198.51.100.1:7144 gets through to 198.51.100.%:7144, over TCP and over UDP."},
		{"shut", func(m *machine) { m.shut(t) }, "✗ 198.51.100.1:7144 sees this machine at 198.51.100.%:7144 and does not get through, neither over TCP nor over UDP."},
		{"tcp", func(m *machine) { m.letsIn(t, "tcp") }, "✗ 198.51.100.1:7144 gets through to 198.51.100.%:7144 over TCP, and not over UDP."},
		{"udp", func(m *machine) { m.letsIn(t, "udp") }, "✗ 198.51.100.1:7144 gets through to 198.51.100.%:7144 over UDP, and not over TCP."},
	} {
		m := internet.home(t, c.name, 10+i)
		c.wall(m)
		want := strings.ReplaceAll(c.says, "%", []string{"10", "11", "12", "13"}[i])
		check := func(how string, args ...string) {
			out, errs, _ := m.output(t, append([]string{"doctor", "--no-discovery", "--internet"}, args...)...)
			if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
				t.Errorf("%s, %s: the doctor does not say %q: %s%s", c.name, how, want, out, errs)
			}
		}
		if i%2 == 0 {
			check("no relay runs", link)
			continue
		}
		w := m.relay(t, "watch", "watch", link, "--config", filepath.Join(m.dir, "keys"))
		w.find(t, `(?m)^Live: `)
		check("a relay runs")
	}
}
