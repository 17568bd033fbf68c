package cli

import (
	"errors"
	"strings"
	"testing"

	"relay/cli/fault"
	"relay/relay"
	"relay/relay/store"
	"relay/relay/stream"
)

func TestLinkOfAKeyThatIsStored(t *testing.T) {
	own := func(names ...string) []store.OwnChannel {
		var all []store.OwnChannel
		for i, n := range names {
			all = append(all, store.OwnChannel{Name: n, ID: stream.ChannelID{byte(i) << 4}})
		}
		return all
	}
	id := func(i byte) string { return stream.ChannelID{i << 4}.String() }
	for _, c := range []struct {
		wanted string
		own    []store.OwnChannel
		want   string // whose ID
		code   int
	}{
		{"", own("live"), id(0), 0},
		{"", own("second"), id(0), 0},         // there is no other
		{"", own("finals", "live"), id(1), 0}, // as plain relay source has it
		{"", own("a", "b"), "", fault.ExitUsage},
		{id(1), own("a", "b"), id(1), 0},
		{id(1)[:5], own("a", "b"), id(1), 0},
		{"zzz", own("a"), "", fault.ExitNobody},
		{"", nil, "", fault.ExitNobody},
	} {
		got, err := storedLink("NAME", c.wanted, c.own, []relay.HostPort{{Host: "2001:db8::1", Port: 9}}, 7144)
		var f *fault.Error
		if c.code != 0 {
			if !errors.As(err, &f) || f.Code != c.code || f.Hint == "" {
				t.Errorf("%q of %v: %v, want exit %d", c.wanted, c.own, err, c.code)
			}
			continue
		}
		u, parseErr := relay.ParseInvite(got.String())
		if err != nil || parseErr != nil || !strings.HasPrefix(got.String(), "relay://"+c.want+"@[2001:db8::1]:9,") || u.Hosts[len(u.Hosts)-1].Port != 7144 {
			t.Errorf("%q of %v: %s, %v, %v", c.wanted, c.own, got, err, parseErr)
		}
	}
}
