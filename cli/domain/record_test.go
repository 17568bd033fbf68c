package domain

import (
	"strings"
	"testing"
	"unicode/utf8"

	"relay/relay"
)

const testID = "aebagbafaydqqcikbmga2dqpcaireeyuculbogazdinryhi6d4qa"

func TestRecordsAreReadAsTheyAreMeant(t *testing.T) {
	const plain = "v=relay1 id=" + testID + " at=203.0.113.7:7144"
	for text, want := range map[string]string{ // addresses and title, or what is wrong; "" for one of another kind
		plain:                              "203.0.113.7:7144",
		plain + ",home.example.org:80":     "203.0.113.7:7144,home.example.org:80",
		plain + " n=Finals":                "203.0.113.7:7144 Finals",
		plain + " n=Finals, n=table 3 x=y": "203.0.113.7:7144 Finals, n=table 3 x=y",
		"V=Relay1 AT=[2001:DB8::1]:7144 ID=" + strings.ToUpper(testID): "[2001:db8::1]:7144",
		"v=relay1; id=" + testID + "; at=a:1;":                         "a:1",
		`"` + plain + `"`:                                              "203.0.113.7:7144",
		plain + " later=1 n=a\x1b[31m\x00b\u202e\n\tc":                 "203.0.113.7:7144 a[31mb c",

		"v=spf1 -all": "", "v=relay10 id=x": "", "v=relay2 id=x at=y": "", "": "", "\x00": "", "google-site-verification=x": "", "v=relay1x": "",

		"v=relay1":                                           "!id= is missing, the channel's ID",
		"v=relay1 at=a:1":                                    "!id= is missing, the channel's ID",
		"v=relay1 id=" + testID:                              "!at= is missing, the addresses",
		"v=relay1 id=karp6ufz at=a:1":                        "!id=: a channel ID has 52 characters, this one has 8",
		plain + " id=" + testID:                              "!it says the same twice",
		"v=relay1 id=" + testID + " at=":                     "!at=: an address is missing: it looks like 192.168.1.5:7144",
		"v=relay1 id=" + testID + " at=a":                    `!at=: address "a" is not host:port, as in 192.168.1.5:7144 or [2001:db8::1]:7144`,
		"v=relay1 id=" + testID + " at=0.0.0.0:1":            `!at=: nobody can be reached at address "0.0.0.0"`,
		"v=relay1 id=" + testID + " at=@a.org:1":             `!at=: host "@a.org" is neither a name nor an IP address`,
		plain + strings.Repeat(",a:1", maxHosts):             "!at=: it has 9 addresses, the most is 8",
		plain + " n=" + strings.Repeat("a", 5000):            "!it has more than 1024 bytes",
		"v=relay1 id=" + testID + " at=a\x1b:1":              `!at=: host "a\x1b" is neither a name nor an IP address`,
		"v=relay1 id=" + strings.Repeat("\x00", 52) + " at=": "!id=: a channel ID is made of the letters a-z and the digits 2-7",
	} {
		r, ours, err := parseRecord(text)
		got := ""
		switch {
		case err != nil:
			got = "!" + err.Error()
		case ours:
			var at []string
			for _, h := range r.At {
				at = append(at, h.String())
			}
			got = strings.TrimSpace(strings.Join(at, ",") + " " + r.Title)
		}
		if got != want {
			t.Errorf("%.100q:\n%s, want\n%s", text, got, want)
		}
	}
}

func TestLinesOfTheFileMayBeLinks(t *testing.T) {
	link := "relay://" + testID + "@203.0.113.7:7144"
	for line, want := range map[string]string{
		link: "203.0.113.7:7144 ", link + "  The finals ": "203.0.113.7:7144 The finals", "# " + link: "", "": "", "  ": "",
		"relay://" + testID + "@@example.org,a:1":             "a:1 ",
		"relay://" + testID + "@@example.org":                 "!at= is missing, the addresses",
		link + "#" + strings.Repeat("a", 26):                  "!",
		"<html>":                                              `!"<html>" is neither a record, which begins with v=relay1, nor a link`,
		"v=spf1 -all":                                         `!"v=spf1 -all" is neither a record, which begins with v=relay1, nor a link`,
		"relay://" + testID:                                   "!bad link: there is no @ between the channel ID and the address",
		"relay://" + testID + "@" + strings.Repeat("a", 2000): "!it has more than 1024 bytes",
	} {
		r, ours, err := parseLine(line)
		switch {
		case err != nil:
			if !strings.HasPrefix(want, "!") || want != "!" && err.Error() != want[1:] {
				t.Errorf("%.100q: %v", line, err)
			}
		case ours != (want != "") || ours && r.At[0].String()+" "+r.Title != want:
			t.Errorf("%.100q: %v %+v", line, ours, r)
		}
	}
}

// What relay prints to paste is what it reads, in strings that DNS takes.
func TestARecordIsWrittenAsItIsRead(t *testing.T) {
	id, _, _ := parseRecord("v=relay1 id=" + testID + " at=a:1")
	for _, r := range []Record{
		{Channel: id.Channel, At: []relay.HostPort{{Host: "203.0.113.7", Port: 7144}}},
		{Channel: id.Channel, At: []relay.HostPort{{Host: "203.0.113.7", Port: 7144}, {Host: "2001:db8::1", Port: 1}}, Title: `The "finals" \ Tisch für 3`},
		{Channel: id.Channel, At: []relay.HostPort{{Host: strings.Repeat("a.", 100) + "example", Port: 1}, {Host: "b", Port: 2}}, Title: strings.Repeat("決勝", 60)},
		{Channel: id.Channel, At: []relay.HostPort{{Host: strings.Repeat("a.", 120) + "example", Port: 1}, {Host: strings.Repeat("b.", 120) + "example", Port: 2}, {Host: "c", Port: 3}}},
	} {
		line := r.String()
		got, ours, err := parseRecord(line)
		if err != nil || !ours || got.Channel != r.Channel || got.At[0] != r.At[0] || !strings.HasPrefix(r.Title, got.Title) || r.Title != "" && got.Title == "" {
			t.Errorf("%s: %+v %v", line, got, err)
		}
		parts := stringsOf(line)
		if strings.Join(parts, "") != line {
			t.Errorf("%s is cut into %q", line, parts)
		}
		for _, p := range parts {
			if len(p) > maxString || !utf8.ValidString(p) {
				t.Errorf("a string has %d bytes: %q", len(p), p)
			}
		}
		zone := ZoneLine("example.org", line)
		for _, c := range []byte(zone) {
			if c < ' ' || c > '~' {
				t.Fatalf("%q is in %s", c, zone)
			}
		}
		if rr := fromZone(t, zone); strings.Join(rr, "") != line {
			t.Errorf("a name server reads %q", rr)
		}
	}
}

func FuzzRecord(f *testing.F) {
	for _, s := range []string{"v=relay1 id=" + testID + " at=a:1 n=x", "relay://" + testID + "@a:1 x", "v=spf1", "\"v=relay1\"", "v=relay1; id=x; at=y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func(string) (Record, bool, error){parseRecord, parseLine} {
			r, ours, err := parse(s)
			if err != nil || !ours {
				continue
			}
			again, ours, err := parseRecord(r.String())
			if err != nil || !ours || again.Channel != r.Channel || len(again.At) == 0 || again.At[0] != r.At[0] {
				t.Errorf("%q is written as %q: %v", s, r, err)
			}
			if len(r.At) > maxHosts || len(r.String()) > maxRecord {
				t.Errorf("%q has %d addresses", s, len(r.At))
			}
		}
	})
}
