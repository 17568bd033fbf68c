package relay

import (
	"strings"
	"testing"

	"relay/tree"
)

func TestParseHelper(t *testing.T) {
	id := tree.ID{1, 2, 3}.String()
	for s, want := range map[string]string{
		"relay.example.org:7144/" + id:                "relay.example.org:7144/" + id,
		"relay.example.org/" + id + "?token=12345678": "relay.example.org:7144/" + id,
		" Relay.example.org/" + id + "\n":             "relay.example.org:7144/" + id,
		"203.0.113.7/" + id:                           "203.0.113.7:7144/" + id,
		"[2001:db8::1]:7144/" + id:                    "[2001:db8::1]:7144/" + id,
		"[2001:db8::1]/" + id:                         "[2001:db8::1]:7144/" + id,
		"2001:db8::1/" + id:                           "[2001:db8::1]:7144/" + id,
	} {
		h, err := ParseHelper(s)
		if err != nil || h.String() != want {
			t.Errorf("%q: %v, %v; want %s", s, h, err, want)
		}
	}
	for s, want := range map[string]string{
		"":                            "a helper is relay.example.org:7144/",
		"relay.example.org:7144":      "a helper is relay.example.org:7144/",
		"relay.example.org:7144/":     "the helper's ID",
		"relay.example.org:7144/abcd": "the helper's ID",
		"/" + id:                      "neither a name nor an IP address",
		"a b/" + id:                   "neither a name nor an IP address",
		"host:0/" + id:                "port",
		"host/" + id + "?token=":      "a token has 8 to 128",
		"host/" + id + "?secret":      "may come ?token=",
	} {
		if h, err := ParseHelper(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want an error with %q", s, h, err, want)
		}
	}
}
