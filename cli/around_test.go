package cli

import "testing"

func TestArgumentIsALinkOrAName(t *testing.T) {
	for arg, want := range map[string]bool{
		"relay://x@127.0.0.1:1": true, "RELAY://x": true, "relay:x": true, "http://127.0.0.1": true,
		"": false, "quiz night": false, "karp6ufz": false, "relay race": false, "host:7144": false,
	} {
		if got := isLink(arg); got != want {
			t.Errorf("%q: %v", arg, got)
		}
	}
}
