//go:build e2e && linux

package netns

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"relay/cli/e2e/internal/wait"
)

// TestANodeKnowsWhatHoldsOverIPv4AndOverIPv6 has machines with addresses of both families, whose
// firewalls let in what comes over one of them.
func TestANodeKnowsWhatHoldsOverIPv4AndOverIPv6(t *testing.T) {
	t.Parallel()
	n := newInternet(t)
	src := n.reside(t, "source", open)
	src.lets(t, "ip6")
	p := src.relay(t, "source", "source", clip, "--loop", "--no-qr", "--config", filepath.Join(src.dir, "keys"))
	link := p.find(t, `(?m)^(relay://[a-z2-7]{52}@\S+)`)
	says := func(r *residence, want ...string) {
		wait.Until(t, "the doctor says "+strings.Join(want, " and "), func() error {
			out, errs, _ := r.output(t, "doctor")
			for _, w := range want {
				if !strings.Contains(out, w) {
					return fmt.Errorf("it says %s%s", out, errs)
				}
			}
			return nil
		})
	}
	asked := n.reside(t, "asked", open) // by the others, over both
	asked.relay(t, "asked", "watch", link, "--config", filepath.Join(asked.dir, "keys")).find(t, `(?m)^Live: `)
	four := n.reside(t, "four", open)
	four.lets(t, "ip")
	four.relay(t, "four", "watch", link, "--config", filepath.Join(four.dir, "keys")).find(t, `(?m)^Live: `)
	six := n.reside(t, "six", open)
	six.lets(t, "ip6")
	six.relay(t, "six", "watch", link, "--config", filepath.Join(six.dir, "keys")).find(t, `(?m)^Live: `)
	// The one family in which a parent has tried is said first, in other words.
	says(src, "Over IPv4 nobody gets through to this source", "Over IPv6 others get through to this node")
	says(four, "has tried it at [2001:", "Over IPv4 others get through to this node")
	says(six, "Others get through to this node: another", "Over IPv4 nobody gets through to this node")
}

// lets has the machine's firewall let in only what comes over a family, ip or ip6, or was asked for.
func (r *residence) lets(t *testing.T, family string) {
	t.Helper()
	must(t, r.machine.run(fmt.Sprintf(`table inet wall {
	chain input {
		type filter hook input priority 0; policy drop;
		iif lo accept
		meta l4proto ipv6-icmp accept
		ct state established,related accept
		meta nfproto %s accept
	}
}
`, map[string]string{"ip": "ipv4", "ip6": "ipv6"}[family]), "nft", "-f", "-"))
}
