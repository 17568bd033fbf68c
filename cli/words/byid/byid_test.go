package byid

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"relay/cli/finding"
	"relay/cli/words"
	"relay/relay"
	"relay/relay/dht"
	"relay/tree"
)

func TestWhatALookupByIDHasFoundIsSaid(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	at := []tree.Place{{Addrs: []netip.AddrPort{netip.MustParseAddrPort("9.9.9.9:7144")}}}
	it := func(live bool, title string, ago time.Duration, at []tree.Place) dht.Found {
		return dht.Found{Item: dht.Item{Live: live, Title: title, Made: now.Add(-ago), Places: at}}
	}
	for want, l := range map[string]finding.Lookup{
		`Found "Finals" by its ID in the BitTorrent DHT, as its source said 5m00s ago.`:                                        {Found: it(true, "Finals", 5*time.Minute, at)},
		`Found the channel by its ID in the BitTorrent DHT, as its source said 0s ago.`:                                        {Found: it(true, "", -time.Hour, at)}, // whose clock is ahead
		`"Finals", and its source said 3h00m ago that it is off the air. Its addresses are tried`:                              {Found: it(false, "Finals", 3*time.Hour, at)},
		`What the BitTorrent DHT has of "Finals" is of an earlier broadcast than was watched here before, from 1d00h ago. Its`: {Found: it(true, "Finals", 24*time.Hour, at), Old: true},
		`live, at no address that can be reached from elsewhere`:                                                               {Found: it(true, "Finals", 0, nil)},
		`Found "a�[31m" by its ID`:                                                {Found: it(true, "a\x1b[31m", 0, at)},
		`No node of the BitTorrent DHT answers`:                                   {Err: dht.ErrNobody},
		`The channel cannot be looked up by its ID: no more files can be opened.`: {Err: errors.New("no more files can be opened")},
		`Nor is anything of this channel in the BitTorrent DHT`:                   {Err: dht.ErrNotFound},
	} {
		if got := LookedUp(l, false, now); !strings.Contains(got, want) || strings.ContainsAny(got, "\x1b\n") {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := LookedUp(finding.Lookup{Err: dht.ErrNotFound}, true, now); !strings.Contains(got, "or the ID is another") {
		t.Errorf("of a link that is an ID alone: %q", got)
	}
}

func TestASourceIsToldWhetherItIsFoundByItsID(t *testing.T) {
	if says, w := Published(finding.Published{Nodes: 8}); !strings.Contains(says, "8 nodes") || w.Text != "" {
		t.Errorf("%q, %+v", says, w)
	}
	for want, p := range map[string]finding.Published{
		"no node of the BitTorrent DHT answers":  {Err: dht.ErrNobody},
		"cannot be found by its ID yet: no ways": {Err: errors.New("no ways")},
		"has kept where the channel is":          {},
		"at no address that others elsewhere":    {Nodes: 8, None: true},
	} {
		if says, w := Published(p); says != "" || !strings.Contains(w.Text, want) || w.Hint == "" || w.Code != words.WarnNotFound {
			t.Errorf("%+v: %q, %+v", p, says, w)
		}
	}
	lines := Public(relay.Invite{Hosts: []relay.HostPort{{Host: "9.9.9.9", Port: 1}}})
	if len(lines) != 2 || strings.Contains(lines[0], "9.9.9.9") || !strings.Contains(lines[1], "Whoever has the channel's ID") {
		t.Errorf("%q", lines)
	}
}
