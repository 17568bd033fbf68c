//go:build !lean

package input

import (
	"strings"
	"testing"
)

func TestAddressesOfSRT(t *testing.T) {
	for text, want := range map[string]struct {
		awaited bool
		says    string
	}{
		"srt://h:8890?passphrase=0123456789&latency=300000": {},
		"srt://:8890":                     {awaited: true},
		"srt://127.0.0.1:1?mode=listener": {awaited: true},
		"srt://h:8890?passphrase=short":   {says: "a passphrase of SRT has 10 to 79 characters"},
		"srt://h":                         {says: "an address of SRT has a host and a port: srt://host:8890"},
	} {
		in, err := Of([]string{text}, false, nil)
		if got, _, _ := strings.Cut(said(err), "\n"); got != want.says {
			t.Errorf("%s: %q", text, got)
		}
		if err == nil && (in.Awaited() != want.awaited || !in.Awaited() && strings.Contains(in.URL.String(), "0123456789")) {
			t.Errorf("%s: %+v, shown as %s", text, in, in.URL)
		}
	}
	in, err := Of([]string{"srt://:8890?passphrase=0123456789"}, false, nil)
	if err != nil || in.Passphrase() != "0123456789" {
		t.Errorf("%v, %q", err, in.Passphrase())
	}
}
