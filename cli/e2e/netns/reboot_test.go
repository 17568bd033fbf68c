//go:build e2e && linux

package netns

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"relay/cli/e2e/internal/wait"
)

// clockTells is how long a router has to have run before its clock shows that it has begun anew:
// clocks may differ by a sixteenth of a minute, and by 2 s (RFC 6887 §8.5).
const clockTells = 8 * time.Second

// TestARouterThatStartsAgainIsAskedAgain has a source at home, and the home's router forget the
// port that it has opened. A machine that gets its address anew meanwhile asks at once. Another
// one asks once a minute whether the port is open yet.
func TestARouterThatStartsAgainIsAskedAgain(t *testing.T) {
	for _, c := range []struct {
		name    string
		address bool // is given anew
	}{
		{"with the address gone meanwhile", true},
		{"unseen", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHousehold(t, 1024, false)
			pass(t, clockTells)
			link := h.home.sourceThatAsks(t).find(t, `(?m)^Share +relay watch (relay://[a-z2-7]{52}@11\.22\.33\.11:7144\S*)$`)
			h.outside.relay(t, "first", "watch", link, "--config", filepath.Join(h.outside.dir, "first")).find(t, `(?m)^Live: `)

			h.daemon.kill()
			if c.address {
				h.home.batch(t, "addr flush dev eth0")
			}
			h.boot(t)
			if h.mapped() {
				t.Fatal("the router has not forgotten the port")
			}
			began := time.Now()
			if c.address {
				h.home.batch(t, "addr add "+homeAddr+"/24 dev eth0", "route add default via "+routerAddr)
			}
			wait.Until(t, "the port is open again", func() error {
				if !h.mapped() {
					return errors.New("it is not")
				}
				return nil
			})
			t.Logf("it is open again after %v", time.Since(began).Round(time.Millisecond))
			h.outside.relay(t, "second", "watch", link, "--offset", "10", "--config", filepath.Join(h.outside.dir, "second")).find(t, `(?m)^Live: `)
		})
	}
}
