package flag

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
)

// What is taken becomes what a browser writes; what is not is refused with a sentence, and mostly with
// what to write instead.
func TestSitesAreOriginsAsBrowsersWriteThem(t *testing.T) {
	for value, want := range map[string]string{
		"https://example.org":                     "https://example.org",
		"https://example.org/":                    "https://example.org",
		"HTTPS://Example.ORG":                     "https://example.org",
		"https://example.org:443":                 "https://example.org",
		"https://example.org:8443":                "https://example.org:8443",
		"http://example.org:80/":                  "http://example.org",
		"http://example.org:443":                  "http://example.org:443",
		"http://192.168.1.5:8080":                 "http://192.168.1.5:8080",
		"http://localhost:3000":                   "http://localhost:3000",
		"https://xn--bcher-kva.example":           "https://xn--bcher-kva.example",
		" https://a.example , https://b.example ": "https://a.example https://b.example",

		"*":                             "!has no *",
		"https://*.example.org":         "!has no *",
		"null":                          "!sandboxed frame",
		"NULL":                          "!sandboxed frame",
		"":                              "!has no http",
		"example.org":                   "!has no http",
		"//example.org":                 "!has no http",
		"file:///home/me/page.html":     "!is not of the web",
		"ftp://example.org":             "!is not of the web",
		"chrome-extension://abcdefgh":   "!is not of the web",
		"https://example.org/page":      "!is more than an origin",
		"https://example.org?x":         "!is more than an origin",
		"https://example.org?":          "!is more than an origin",
		"https://example.org#x":         "!is more than an origin",
		"https://example.org#":          "!is more than an origin",
		"https://me:secret@example.org": "!is more than an origin",
		"https://bücher.example":        "!is not as browsers write it",
		"https://[2001:db8::1]":         "!IPv6",
		"https://":                      "!has no host",
		"https://exa mple.org":          "!is no address",
		"https://example.org;script":    "!has no host",
		"https://example..org":          "!has no host",
		"https://-example.org":          "!has no host",
		"https://example.org.":          "!has no host",
		"https://1.2.3":                 "!has no host",
		"https://0x7f.1":                "!has no host",
		"https://example.org:":          "!lacks the port",
		"https://example.org:0":         "!has a port",
		"https://example.org:70000":     "!has a port",
		"https://example.org:x":         "!is no address",
		"https://example.org:0080":      "https://example.org:80",
	} {
		var got []string
		err := runFlags(t, []string{"--embed", value}, func(c *cli.Context) (err error) {
			_, got, err = Sites(c)
			return err
		})
		why, bad := strings.CutPrefix(want, "!")
		switch {
		case !bad && (err != nil || strings.Join(got, " ") != want):
			t.Errorf("%q: %q, %v", value, got, err)
		case bad && (err == nil || !strings.Contains(err.Error(), why)):
			t.Errorf("%q: %q, %v; want: %s", value, got, err, why)
		}
		if f, ok := errors.AsType[*fault.Error](err); err != nil && (!ok || f.Code != fault.ExitUsage) {
			t.Errorf("%q: %v is no fault of the command line", value, err)
		}
	}
	many := slices.Repeat([]string{"--embed", "https://example.org"}, mostSites+1)
	if err := runFlags(t, many, func(c *cli.Context) error { _, err := Embed(c); return err }); err == nil {
		t.Error("there is no bound")
	}
}
