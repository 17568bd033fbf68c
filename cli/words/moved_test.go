package words

import (
	"net/netip"
	"strings"
	"testing"

	"relay/relay/portmap"
)

func TestPeopleAreToldWhyTheLinkIsAnother(t *testing.T) {
	m := Mapped{State: portmap.State{Mappings: []portmap.Mapping{{
		Protocol: portmap.NATPMP, Gateway: netip.MustParseAddr("192.168.1.1"), External: netip.MustParseAddrPort("203.0.113.7:7144"),
	}}}}
	const home, world, moved = "relay://ID@192.168.1.5:7144", "relay://ID@203.0.113.7:7144,192.168.1.5:7144", "relay://ID@203.0.113.7:7144,192.168.1.6:7144"
	const opened, other = "The router at 192.168.1.1 has opened the port (NAT-PMP), so this link is good for people elsewhere, too:", "This machine has other addresses now:"
	for _, c := range []struct {
		was, now string
		m        Mapped
		want     []string
	}{
		{home, world, m, []string{opened, "Share   relay watch " + world}},
		{world, moved, m, []string{other, "Page    http://192.168.1.6:7145/", "Share   relay watch " + moved}},
		{world, home, Mapped{}, []string{other, "Page    http://192.168.1.6:7145/", "Share   relay watch " + home}},
	} {
		if got := strings.Join(Moved(c.was, c.now, "http://192.168.1.6:7145/", c.m), "\n"); got != strings.Join(c.want, "\n") {
			t.Errorf("%s, then %s:\n%s", c.was, c.now, got)
		}
	}
}
