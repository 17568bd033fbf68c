//go:build e2e && linux

package netns

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"relay/cli/e2e/internal/wait"
)

// home is a machine in a network of its own on the Internet.
func (l *lan) home(t *testing.T, name string, number int) *machine {
	t.Helper()
	m := newMachine(t, name, false)
	l.plug(t, m, "eth0", fmt.Sprintf("198.51.100.%d/32", number))
	must(t, m.run("route add 198.51.100.0/24 dev eth0\n", "ip", "-batch", "-"))
	return m
}

// shut has the machine's firewall let in nothing that was not asked for, as routers do.
func (m *machine) shut(t *testing.T) {
	t.Helper()
	must(t, m.run(`table inet wall {
	chain input {
		type filter hook input priority 0; policy drop;
		iif lo accept
		ct state established,related accept
	}
}
`, "nft", "-f", "-"))
}

// TestWhoCanServeHasAPlaceBesideHomesThatLetNobodyIn gives both places of a source to homes whose
// firewalls let nobody in.
func TestWhoCanServeHasAPlaceBesideHomesThatLetNobodyIn(t *testing.T) {
	internet := newLAN(t)
	src := internet.home(t, "source", 1)
	p := src.relay(t, "source", "source", clip, "--loop", "--no-qr", "--max-children", "2", "--config", filepath.Join(src.dir, "keys"))
	link := p.find(t, `(?m)^(relay://[a-z2-7]{52}@\S+)`)
	watch := func(m *machine, name string) *process {
		return m.relay(t, name, "watch", link, "--config", filepath.Join(m.dir, "keys"))
	}
	for i := range 2 {
		m := internet.home(t, fmt.Sprint("closed", i), 2+i)
		m.shut(t)
		w := watch(m, "closed")
		w.find(t, `(?m)^Live: `)
		wait.Until(t, "it knows that nobody can dial it", func() error {
			if out, errs, _ := m.output(t, "doctor"); !strings.Contains(out, "a router or a firewall has let nothing in") {
				return fmt.Errorf("the doctor says %s%s", out, errs)
			}
			return nil
		})
	}
	open := internet.home(t, "open", 10)
	began := time.Now()
	watch(open, "open").find(t, `(?m)^Live: `)
	t.Logf("who can serve plays after %v", time.Since(began).Round(10*time.Millisecond))
	late := internet.home(t, "late", 11)
	late.shut(t)
	watch(late, "late").find(t, `(?m)^Live: `)
	wait.Until(t, "all are in the tree", func() error {
		out, errs, code := src.output(t, "tree", "--json")
		if n := strings.Count(out, `"uptime_s"`); code != 0 || n != 5 {
			return fmt.Errorf("%d nodes, exit code %d: %s%s", n, code, out, errs)
		}
		return nil
	})
	if out, errs, _ := open.output(t, "doctor"); !strings.Contains(out, "Others get through to this node: ") {
		t.Errorf("the doctor does not say that others get through: %s%s", out, errs)
	}
}
