package ask

import (
	"errors"
	"strings"
	"testing"

	"relay/cli/fault"
	"relay/relay"
	"relay/relay/stream"
)

var pastedID = stream.ChannelID{1, 2, 3}.String()

// said is what was understood, in a line.
func (p Pasted) said() string {
	switch {
	case len(p.Invite.Hosts) > 0:
		return strings.Replace(p.Invite.String(), pastedID, "ID", 1)
	case p.Page != nil && p.Channel != "":
		return "page " + p.Page.String() + " of " + p.Channel
	case p.Page != nil:
		return "page " + p.Page.String()
	}
	return "name " + p.Name
}

func TestWhatPeoplePasteIsUnderstood(t *testing.T) {
	for text, want := range map[string]string{
		"relay://ID@192.168.1.5:7144":                   "relay://ID@192.168.1.5:7144",
		" <relay://ID@a:1>\n":                           "relay://ID@a:1",
		`"relay://ID@a:1"`:                              "relay://ID@a:1",
		"“relay://ID@a:1”":                              "relay://ID@a:1",
		"`relay://ID@a:1`":                              "relay://ID@a:1",
		"relay://ID@a:1.":                               "relay://ID@a:1",
		"(relay://ID@a:1).":                             "relay://ID@a:1",
		"relay watch relay://ID@a:1":                    "relay://ID@a:1",
		"Share   relay watch relay://ID@a:1":            "relay://ID@a:1",
		"relay watch 'relay://ID@a:1' --player mpv":     "relay://ID@a:1",
		"[the game](relay://ID@a:1)":                    "relay://ID@a:1",
		"look: RELAY://ID@a:1, tonight":                 "relay://ID@a:1",
		"\ufeffrelay://ID@\u200ba:1\u00a0":              "relay://ID@a:1",
		"relay://ID@192.168.1.5":                        "relay://ID@192.168.1.5:7144",
		"relay://ID@2001:db8::1":                        "relay://ID@[2001:db8::1]:7144",
		"<relay://ID@[2001:db8::1]>":                    "relay://ID@[2001:db8::1]:7144",
		"relay://ID@home.example.org.":                  "relay://ID@home.example.org:7144",
		"ID@192.168.1.5:7144":                           "relay://ID@192.168.1.5:7144",
		"relay watch ID@home.example.org":               "relay://ID@home.example.org:7144",
		"http://10.77.0.2:7145/":                        "page http://10.77.0.2:7145",
		"<http://10.77.0.2:7145/>.":                     "page http://10.77.0.2:7145",
		"Page    http://10.77.0.2:7145/":                "page http://10.77.0.2:7145",
		"http://10.77.0.2:7144":                         "page http://10.77.0.2:7145", // the port for links
		"http://[2001:db8::1]:7145/#abcd2345":           "page http://[2001:db8::1]:7145 of abcd2345",
		"http://10.77.0.2:7145/abcd2345.flv?start=gop":  "page http://10.77.0.2:7145 of abcd2345",
		"http://10.77.0.2:7145/hls/abcd2345/index.m3u8": "page http://10.77.0.2:7145 of abcd2345",
		"http://10.77.0.2:7145/x":                       "page http://10.77.0.2:7145",
		"HTTPS://tv.example.org/":                       "page https://tv.example.org",
		"10.77.0.2":                                     "page http://10.77.0.2:7145",
		"10.77.0.2:7145":                                "page http://10.77.0.2:7145",
		"10.77.0.2:9000":                                "page http://10.77.0.2:9000",
		"10.77.0.2:7144":                                "page http://10.77.0.2:7145",
		"2001:db8::1":                                   "page http://[2001:db8::1]:7145",
		"[2001:db8::1]:7144":                            "page http://[2001:db8::1]:7145",
		"home.example.org:7145":                         "page http://home.example.org:7145",
		"localhost:7145":                                "page http://localhost:7145",
		"":                                              "name ",
		"finals":                                        "name finals",
		"Quiz night.":                                   "name Quiz night.",
		"Round:3":                                       "name Round:3",
		"relay race":                                    "name relay race",
		"karp6ufz":                                      "name karp6ufz",
		"me@home":                                       "name me@home",
		"host:7144":                                     "name host:7144",
		"Vol.1":                                         "name Vol.1",
	} {
		p, err := Paste(strings.ReplaceAll(text, "ID", pastedID))
		if got := p.said(); err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	for text, want := range map[string]string{
		"relay://ID":                 "there is no @ between the channel ID and the address",
		"<relay://ID@>":              "an address is missing",
		"relay://ID@a:http.":         `port "http" is not a number`,
		"relay:ID":                   "a link starts with relay://",
		"ftp://10.0.0.1/":            "a link starts with relay://",
		"http://":                    "there is no host",
		"http://[::1/":               "there is no host",
		"ID@300.1.1.1":               "is neither a name nor an IP address",
		strings.Repeat("a", 5000):    "it has 5000 characters",
		"relay://a\x1b[2J@a:1\x1b[m": "bad link: ",
	} {
		p, err := Paste(strings.ReplaceAll(text, "ID", pastedID))
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.ExitUsage || f.Hint == "" || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: %s, %v; want %s", text, p.said(), err, want)
		}
	}
}

func FuzzPaste(f *testing.F) {
	for _, s := range []string{"<relay://" + pastedID + "@a>.", "relay watch http://10.0.0.1:7145/#abcd", pastedID + "@::1", "[::1]:7144", "“x”"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Paste(text)
		if err != nil {
			if msg := err.Error(); strings.ContainsAny(msg, "\x1b\n") || len(msg) > 2*maxPasted {
				t.Fatalf("%q", msg)
			}
			return
		}
		if len(p.Invite.Hosts) > 0 {
			again, err := relay.ParseInvite(p.Invite.String())
			if text := p.Invite.String(); err != nil && len(text) <= 2048 || err == nil && again.String() != text {
				t.Fatalf("%s reads back as %s, %v", text, again, err)
			}
			return
		}
		if p.Page != nil {
			if p.Page.Host == "" || p.Page.Scheme != "http" && p.Page.Scheme != "https" || p.Page.User != nil || p.Page.Path != "" {
				t.Fatalf("%+v", p.Page)
			}
			return
		}
		if p.Name != text {
			t.Fatalf("%q became %q", text, p.Name)
		}
	})
}
