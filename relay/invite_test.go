package relay

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"relay/relay/seal"
	"relay/relay/stream"
)

const (
	// testID is the text of a channel ID, and zeroID that of the ID of zeros.
	testID = "aebagbafaydqqcikbmga2dqpcaireeyuculbogazdinryhi6d4qa"
	zeroID = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
)

func testChannel() stream.ChannelID {
	var id stream.ChannelID
	for i := range id {
		id[i] = byte(i + 1)
	}
	return id
}

func TestLinkIsReadAsItIsMeant(t *testing.T) {
	hosts := func(h ...HostPort) []HostPort { return h }
	for _, c := range []struct {
		link string
		want []HostPort
		text string // after the @
	}{
		{"relay://ID@192.168.1.5:7144", hosts(HostPort{"192.168.1.5", 7144}), "192.168.1.5:7144"},
		{"relay://ID@[2001:db8::1]:7144", hosts(HostPort{"2001:db8::1", 7144}), "[2001:db8::1]:7144"},
		{"relay://ID@[2001:DB8:0::1]:1", hosts(HostPort{"2001:db8::1", 1}), "[2001:db8::1]:1"},
		{"relay://ID@[::ffff:192.0.2.1]:80", hosts(HostPort{"192.0.2.1", 80}), "192.0.2.1:80"},
		{"relay://ID@Example.COM:65535", hosts(HostPort{"example.com", 65535}), "example.com:65535"},
		{"relay://ID@my_host-1:007144", hosts(HostPort{"my_host-1", 7144}), "my_host-1:7144"},
		{"relay://ID@example.com.:7144", hosts(HostPort{"example.com.", 7144}), "example.com.:7144"},
		{"relay://ID@a:1,b:2", hosts(HostPort{"a", 1}, HostPort{"b", 2}), "a:1,b:2"},
		{"relay://ID@a", hosts(HostPort{"a", 7144}), "a:7144"}, // nobody says the port
		{"relay://ID@192.168.1.5,b:2,example.org/", hosts(HostPort{"192.168.1.5", 7144}, HostPort{"b", 2}, HostPort{"example.org", 7144}), "192.168.1.5:7144,b:2,example.org:7144"},
		{"relay://ID@2001:db8::1", hosts(HostPort{"2001:db8::1", 7144}), "[2001:db8::1]:7144"},
		{"relay://ID@[2001:db8::1]", hosts(HostPort{"2001:db8::1", 7144}), "[2001:db8::1]:7144"},
		{"relay://ID@a:1/", hosts(HostPort{"a", 1}), "a:1"},
		{"relay://ID@@Example.ORG.", hosts(HostPort{"@example.org", 0}), "@example.org"},
		{"relay://ID@a:1,@xn--bcher-kva.example,b:2", hosts(HostPort{"a", 1}, HostPort{"@xn--bcher-kva.example", 0}, HostPort{"b", 2}), "a:1,@xn--bcher-kva.example,b:2"},
		{" \trelay://ID@a:1\r\n", hosts(HostPort{"a", 1}), "a:1"},
		{"RELAY://ID@a:1", hosts(HostPort{"a", 1}), "a:1"},
	} {
		for _, id := range []string{testID, strings.ToUpper(testID)} {
			link := strings.Replace(c.link, "ID", id, 1)
			got, err := ParseInvite(link)
			want := Invite{Channel: testChannel(), Hosts: c.want}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%q: %+v, %v; want %+v", link, got, err, want)
				continue
			}
			text := Scheme + testID + "@" + c.text
			if got.String() != text {
				t.Errorf("%q: text is %s, want %s", link, got, text)
			}
			if again, err := ParseInvite(text); err != nil || !reflect.DeepEqual(again, want) {
				t.Errorf("%q: %+v, %v; want %+v", text, again, err, want)
			}
		}
	}
}

func TestMistakeInALinkIsNamed(t *testing.T) {
	const at = Scheme + testID + "@"
	label := strings.Repeat("a", 63)
	for _, c := range []struct{ link, words string }{
		{"", "a link starts with relay://"},
		{"http://example.com/", `a link starts with relay://, this is "http://example.com/"`},
		{"relay:/" + testID + "@a:1", "a link starts with relay://"},
		{"relay://", "there is no @"},
		{Scheme + testID, "there is no @ between the channel ID and the address"},
		{Scheme + "@a:1", "the channel ID is missing"},
		{Scheme + testID[1:] + "@a:1", "a channel ID has 52 characters, this one has 51"},
		{Scheme + testID + "a@a:1", "a channel ID has 52 characters, this one has 53"},
		{Scheme + "1" + testID[1:] + "@a:1", "letters a-z and the digits 2-7"},
		{Scheme + testID[:51] + "b@a:1", "last character is not one that occurs"},
		{at, "an address is missing: it looks like 192.168.1.5:7144"},
		{at + "a:1,", "an address is missing"},
		{at + ",a:1", "an address is missing"},
		{at + "a:1,,b:2", "an address is missing"},
		{at + "a:b:1", `address "a:b:1" is not host:port, as in 192.168.1.5:7144 or [2001:db8::1]:7144`},
		{at + "2001:db8::1::2", `address "2001:db8::1::2" is not host:port`},
		{at + "[2001:db8::1", "is not host:port"},
		{at + "[a]", "is not host:port"},
		{at + "fe80::1%eth0", `nobody can be reached at address "fe80::1%eth0"`},
		{at + "0.0.0.0", `nobody can be reached at address "0.0.0.0"`},
		{at + "300.1.1.1", `host "300.1.1.1" is neither`},
		{at + "b@a:1", `host "b@a" is neither a name nor an IP address`},
		{at + "@", `"@" is no domain, which looks like @example.org`},
		{at + "@localhost", `"@localhost" is no domain`},
		{at + "@example.org:7144", `"@example.org:7144" is no domain`},
		{at + "@@example.org", `"@@example.org" is no domain`},
		{at + "@b\u00fccher.de", `"@b\u00fccher.de" is no domain`},
		{at + "@10.0.0.1", `"@10.0.0.1" is no domain`},
		{at + "a:", `port "" is not a number from 1 to 65535`},
		{at + "a:0", `port "0" is not a number from 1 to 65535`},
		{at + "a:65536", `port "65536"`},
		{at + "a:-1", `port "-1"`},
		{at + "a:+1", `port "+1"`},
		{at + "a:http", `port "http"`},
		{at + "a:7144 ,b:1", `port "7144 "`},
		{at + ":7144", `host "" is neither`},
		{at + ".:7144", `host "." is neither`},
		{at + "a..b:7144", `host "a..b" is neither`},
		{at + "-a:7144", `host "-a" is neither`},
		{at + "a-:7144", `host "a-" is neither`},
		{at + "a b:7144", `host "a b" is neither`},
		{at + "b\u00fccher.de:7144", `host "b\u00fccher.de" is neither`},
		{at + "\x1b[2J:7144", "is not host:port"},
		{at + "a\x1b:7144", `host "a\x1b" is neither`},
		{at + "300.1.1.1:7144", `host "300.1.1.1" is neither`},
		{at + "192.168.1:7144", `host "192.168.1" is neither`},
		{at + label + "a:7144", "is neither a name nor an IP address"},
		{at + strings.Repeat(label+".", 4) + ":7144", "is neither a name nor an IP address"},
		{at + "0.0.0.0:7144", `nobody can be reached at address "0.0.0.0"`},
		{at + "[::]:7144", `nobody can be reached at address "::"`},
		{at + "[::ffff:0.0.0.0]:7144", `nobody can be reached at address "::ffff:0.0.0.0"`},
		{at + "224.0.0.1:7144", `nobody can be reached at address "224.0.0.1"`},
		{at + "[ff02::1]:7144", `nobody can be reached at address "ff02::1"`},
		{at + "a:1/live", "nothing may follow the addresses, but a / does"},
		{at + "a:1?x=y", "nothing may follow the addresses, but a ? does"},
		{at + "a:1#top", "what follows the # is no secret of a private channel"},
		{at + "a:1//", "nothing may follow the addresses"},
		{at + strings.Repeat("a:1,", 16) + "a:1", "it has 17 addresses, the most is 16"},
		{at + strings.Repeat("a", 2048), "characters, the most is 2048"},
	} {
		inv, err := ParseInvite(c.link)
		if err == nil {
			t.Errorf("%q was taken: %+v", c.link, inv)
			continue
		}
		msg := err.Error()
		if !strings.HasPrefix(msg, "bad link: ") || !strings.Contains(msg, c.words) {
			t.Errorf("%q: %s; want %q", c.link, msg, c.words)
		}
		if !reflect.DeepEqual(inv, Invite{}) || !plain(msg) || len(msg) > 300 {
			t.Errorf("%q: %+v, %q", c.link, inv, msg)
		}
	}
}

// plain reports whether a message is one line without control characters.
func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 })
}

func TestLargestLinkIsRead(t *testing.T) {
	link := Scheme + zeroID + "@" + strings.Repeat("a:1,", 15) + "b:2"
	if inv, err := ParseInvite(link); err != nil || len(inv.Hosts) != 16 || inv.String() != link {
		t.Errorf("%v, %v", inv, err)
	}
}

func FuzzParseInvite(f *testing.F) {
	const at = Scheme + testID + "@"
	f.Add(at + "192.168.1.5:7144")
	f.Add(at + "[2001:db8::1]:7144,example.com:80/")
	f.Fuzz(func(t *testing.T, s string) {
		inv, err := ParseInvite(s)
		if err != nil {
			if msg := err.Error(); !strings.HasPrefix(msg, "bad link: ") || !plain(msg) || len(msg) > 300 {
				t.Fatalf("%q", msg)
			}
			return
		}
		if len(inv.Hosts) == 0 || len(inv.Hosts) > maxHosts {
			t.Fatalf("%d addresses", len(inv.Hosts))
		}
		for _, h := range inv.Hosts {
			if h.Host == "" || h.Port == 0 {
				t.Fatalf("address %+v", h)
			}
			if again, err := ParseHostPort(h.String()); err != nil || again != h {
				t.Fatalf("%+v reads back as %+v, %v", h, again, err)
			}
		}
		text := inv.String()
		if again, err := ParseInvite(text); len(text) <= maxInvite && (err != nil || !reflect.DeepEqual(again, inv)) {
			t.Fatalf("%q reads back as %+v, %v; want %+v", text, again, err, inv)
		}
	})
}

// A link that names no host is one all the same, where the channel can be found by its ID.
func TestALinkOfAnIDAlone(t *testing.T) {
	access, id := seal.New(), testChannel()
	for link, want := range map[string]Invite{
		Scheme + testID: {Channel: id},
		" RELAY://" + strings.ToUpper(testID) + "/": {Channel: id},
		Scheme + testID + "#" + access.Fragment():   {Channel: id, Access: access},
	} {
		got, err := ParseID(link)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", link, got, err)
		}
		if again, err := ParseID(got.Link()); err != nil || !reflect.DeepEqual(again, want) {
			t.Errorf("%s reads back as %+v, %v", got.Link(), again, err)
		}
		if _, err := ParseInvite(link); !errors.Is(err, ErrNoAddress) {
			t.Errorf("%s, where there has to be an address: %v", link, err)
		}
	}
	for _, bad := range []string{"", testID, Scheme, Scheme + testID[1:], Scheme + testID + "@a:1", Scheme + testID + "#x", Scheme + testID + "//", Scheme + testID + "?a", Scheme + testID + strings.Repeat(" ", maxInvite) + "x"} {
		if got, err := ParseID(bad); err == nil || !strings.HasPrefix(err.Error(), "bad link: ") || len(err.Error()) > 300 {
			t.Errorf("%.80q: %+v, %v", bad, got, err)
		}
	}
}

func TestALinkTakesMoreAddresses(t *testing.T) {
	inv, err := ParseInvite(Scheme + stream.ChannelID{}.String() + "@10.0.0.1:7144")
	if err != nil {
		t.Fatal(err)
	}
	var more []HostPort
	for i := range 40 {
		more = append(more, HostPort{fmt.Sprintf("10.0.0.%d", i%20), DefaultPort})
	}
	got := inv.With(more...)
	if len(got.Hosts) != maxHosts || got.Hosts[0] != inv.Hosts[0] || got.Hosts[1] != more[0] || got.Hosts[2] != more[2] {
		t.Errorf("%v", got.Hosts)
	}
	if len(inv.Hosts) != 1 {
		t.Errorf("the link itself has changed: %v", inv.Hosts)
	}
	long := HostPort{strings.Repeat("a.", 120) + "example", DefaultPort}
	for i := range 10 {
		long.Port++
		got = got.With(long)
		inv = inv.With(long)
		for _, inv := range []Invite{got, inv} {
			if back, err := ParseInvite(inv.String()); err != nil || !slices.Equal(back.Hosts, inv.Hosts) {
				t.Fatalf("%d long names: %v", i, err)
			}
		}
	}
}
