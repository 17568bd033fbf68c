package station

import (
	"net/netip"
	"strings"
	"testing"

	"relay/cli/reach"
	"relay/relay/stream"
)

func TestThePageTellsWhereLinksAreTaken(t *testing.T) {
	id := stream.ChannelID{1}
	for _, c := range []struct{ listens, host, want string }{
		{"[::]:7144", "192.168.1.5:7145", "192.168.1.5:7144"},
		{"0.0.0.0:9000", "[2001:db8::1]:7145", "[2001:db8::1]:9000"},
		{"[::]:7144", "[2001:db8::1]", "[2001:db8::1]:7144"},
		{"[::]:7144", "home.example.org", "home.example.org:7144"},
		{"192.168.1.5:7144", "10.0.0.1:7145", "192.168.1.5:7144"},
		{"127.0.0.1:7144", "localhost:7145", "127.0.0.1:7144"},
		{"127.0.0.1:7144", "192.168.1.5:7145", ""}, // nobody reaches it there
		{"[::]:7144", "a b:7145", ""},
		{"[::]:7144", "", ""},
		{"", "192.168.1.5:7145", ""}, // no listener
	} {
		r := reach.New(nil, nil)
		if c.listens != "" {
			r.At = netip.MustParseAddrPort(c.listens)
		}
		got := (&Station{reach: r}).linkAt(id, c.host)
		if _, at, _ := strings.Cut(got, "@"); at != c.want || got != "" && !strings.HasPrefix(got, "relay://"+id.String()) {
			t.Errorf("listening at %s, asked as %s: %s, want %s", c.listens, c.host, got, c.want)
		}
	}
}
