//go:build e2e && linux

package netns

import (
	"context"
	"fmt"
	"testing"
	"time"

	"relay/cli/e2e/internal/wait"
)

// hairpin has a router send on what comes from inside to its outer address as it does with what
// comes from outside, or else drop it. Many routers at homes do no more than that.
func (r *residence) hairpin(t *testing.T, on bool) {
	t.Helper()
	rules := "add rule inet filter input iifname \"lan\" ip daddr " + r.wan() + " drop\n"
	if on {
		rules = fmt.Sprintf(`add rule ip nat prerouting iifname "lan" ip daddr %s meta l4proto { tcp, udp } th dport 7144 dnat to %s
add rule ip nat postrouting oifname "lan" ct status dnat masquerade
`, r.wan(), homeAddr)
	}
	must(t, r.router.run(rules, "nft", "-f", "-"))
}

// TestTwoAtHomeMeet has two machines behind one router, whose outer address leads to the first of
// them, from inside as well or not. What others are told of the first begins with that address. If
// it does not lead there from inside, the second takes the other one. If it does, either will do.
func TestTwoAtHomeMeet(t *testing.T) {
	for _, on := range []bool{false, true} {
		t.Run(fmt.Sprintf("hairpin %v", on), func(t *testing.T) {
			n := newInternet(t)
			elsewhere, home := n.reside(t, "elsewhere", open), n.reside(t, "first", forwarded)
			home.hairpin(t, on)
			second := home.another(t, "second")
			outer := home.wan() + ":7144"
			watch := func(name, link string) {
				began := time.Now()
				w := second.relay(t, name, "watch", link, "--no-discovery", "--max-children", "0", "--config", second.dir+"/keys")
				by := w.find(t, `(?m)^Connected to .*?([0-9.]+):7144`)
				t.Logf("%s: linked at %s, %v after the start", name, by, time.Since(began).Round(time.Millisecond))
				if by != homeAddr && (!on || by != home.wan()) {
					t.Errorf("%s: linked at %s", name, by)
				}
				w.find(t, `(?m)^(Live: )`)
				w.kill()
			}

			// The first is the source, and its link names the outer address first.
			src := home.relay(t, "source", "source", clip, "--loop", "--no-qr", "--advertise", outer, "--config", home.dir+"/source")
			link := src.find(t, `(?m)^(relay://[a-z2-7]{52}@`+outer+`\S+)`)
			ctx, cancel := context.WithTimeout(t.Context(), wait.Patience)
			if !on {
				ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
			}
			conn, err := second.dial(ctx, "tcp", outer)
			cancel()
			if (err == nil) != on {
				t.Fatalf("from inside, the outer address gives %v", err)
			}
			if on {
				conn.Close()
			}
			watch("by its link", link)
			src.kill()

			// The first watches, and whoever it watches sends the second to it.
			out := elsewhere.run(t, "source", clip, "--loop", "--no-qr", "--max-children", "1")
			home.run(t, "watch", out.find(t, `(?m)^(relay://[a-z2-7]{52}@\S+)`)).find(t, `(?m)^Live: `)
			watch("by a referral", out.find(t, `(?m)^(relay://[a-z2-7]{52}@\S+)`))
		})
	}
}
