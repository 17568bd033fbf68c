package ask

import (
	"errors"
	"strings"
	"testing"

	"relay/cli/fault"
	"relay/relay"
	"relay/relay/stream"
)

var (
	pastedID     = stream.ChannelID{1, 2, 3}.String()
	pastedSecret = strings.Repeat("y", 25) + "a"
	// pastes stand for what the rows have.
	pastes = strings.NewReplacer("UPPER", strings.ToUpper(pastedID), "SECRET", pastedSecret, "IDA", pastedID[:20], "IDB", pastedID[20:], "ID", pastedID)
)

// said is what was understood, in a line.
func (p Pasted) said() string {
	switch {
	case p.Link():
		return strings.NewReplacer(pastedID, "ID", pastedSecret, "SECRET").Replace(p.Invite.Link())
	case p.Page != nil && p.Channel != "":
		return "page " + strings.TrimSuffix(p.Page.String(), "/") + " of " + p.Channel
	case p.Page != nil:
		return "page " + strings.TrimSuffix(p.Page.String(), "/")
	}
	return "name " + p.Name
}

func TestWhatPeoplePasteIsUnderstood(t *testing.T) {
	for text, want := range map[string]string{
		"relay://ID@192.168.1.5:7144":                   "relay://ID@192.168.1.5:7144",
		"relay://ID":                                    "relay://ID",
		"look: <RELAY://UPPER/>, tonight":               "relay://ID",
		"relay://ID#SECRET":                             "relay://ID#SECRET",
		"relay://ID @a:1 tonight":                       "relay://ID@a:1",
		"relay://ID\n@a:1":                              "relay://ID@a:1",
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
		"http://10.77.0.2:7145/abcd2345.flv?start=gop":  "page http://10.77.0.2:7145/abcd2345.flv of abcd2345",
		"http://10.77.0.2:7145/hls/abcd2345/index.m3u8": "page http://10.77.0.2:7145/hls/abcd2345/index.m3u8 of abcd2345",
		"http://10.77.0.2:7145/x":                       "page http://10.77.0.2:7145/x",
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
		"host:7144":                                     "page http://host:7145",
		// around a link
		"'relay://ID@a:1'":                          "relay://ID@a:1",
		"relay://ID@a:1,":                           "relay://ID@a:1",
		"**relay://ID@a:1**":                        "relay://ID@a:1",
		"[relay://ID@a:1]":                          "relay://ID@a:1",
		"[relay://ID@[::1]:7144]":                   "relay://ID@[::1]:7144",
		"<relay://ID@a:1|relay://ID@a:1>":           "relay://ID@a:1",
		`relay watch "relay watch relay://ID@a:1"`:  "relay://ID@a:1",
		`relay watch "relay watch ID@a:1"`:          "relay://ID@a:1",
		"$ relay serve ID@a:1":                      "relay://ID@a:1",
		"Share   relay watch ID@a:1 (2 viewers)":    "relay://ID@a:1",
		"\u00a0 \t\u200brelay://\u2060ID@a:1\u3000": "relay://ID@a:1",
		"\x1b[200~relay://ID@a:1\x1b[201~":          "relay://ID@a:1",
		// a link's letters
		"relay%3A//ID@a:1":                  "relay://ID@a:1",
		"relay%3a%2f%2fID%40a%3A1%23SECRET": "relay://ID@a:1#SECRET",
		"https://out.example.org/?q=relay%253A%252F%252FID%2540a%253A1&x=2": "relay://ID@a:1",
		`relay:\/\/ID@a:1`:  "relay://ID@a:1",
		"RELAY://UPPER@A:1": "relay://ID@a:1",
		"UPPER@a:1":         "relay://ID@a:1",
		"relay:ID@a:1":      "relay://ID@a:1",
		"elay://ID@a:1":     "relay://ID@a:1",
		"//ID@a:1#SECRET":   "relay://ID@a:1#SECRET",
		// a link over several lines
		"relay://IDA\nIDB@a:7144":                                          "relay://ID@a:7144",
		"relay://IDA IDB@a:7144":                                           "relay://ID@a:7144",
		"> relay://IDA\r\n> IDB@a:71\r\n> 44\r\n":                          "relay://ID@a:7144",
		">> Watch relay://IDA\n>> IDB@a:7144,\n>> b:7144\n>> \n>> See you": "relay://ID@a:7144,b:7144",
		"<relay://IDA=\r\nIDB@a:71=\n44>":                                  "relay://ID@a:7144",
		"> relay://ID@10.0.0=\n> .1:7144":                                  "relay://ID@10.0.0.1:7144",
		"relay://ID@a:71\n44\nSee you":                                     "relay://ID@a:7144",
		"relay://ID@a\n:7144#SECRET":                                       "relay://ID@a:7144#SECRET",
		"relay://ID@a:7144\n#SECRET":                                       "relay://ID@a:7144#SECRET",
		"relay://ID@a:7144 #SECRET":                                        "relay://ID@a:7144#SECRET",
		"relay://ID@a:7144#yyyyyyyyyy\nyyyyyyyyyyyyyyya":                   "relay://ID@a:7144#SECRET",
		"IDA\nIDB@a:7144":                                                  "relay://ID@a:7144",
		"relay\n://ID@a:7144":                                              "relay://ID@a:7144",
		"relay://ID@a\nhello":                                              "relay://ID@a:7144", // a sentence follows
		"relay://ID@a:71\n44 viewers":                                      "relay://ID@a:71",
		"relay://ID@a:71\n\nrelay://ID@b:1":                                "relay://ID@a:71",
		"relay://ID@a:71 44":                                               "relay://ID@a:71",
		"http://10.77.\n0.2:7145/":                                         "page http://10.77.0.2:7145",
		// a page, or an address
		"http://10.77.0.2:7145/xdnd2d2p.flv":                "page http://10.77.0.2:7145/xdnd2d2p.flv of xdnd2d2p",
		"http://10.77.0.2:7145/?ch=xdnd2d2p":                "page http://10.77.0.2:7145 of xdnd2d2p",
		"https://tv.example.org/live/#XDND2D2P":             "page https://tv.example.org/live of xdnd2d2p",
		"https://tv.example.org/tv/hls/abcd2345/index.m3u8": "page https://tv.example.org/tv/hls/abcd2345/index.m3u8 of abcd2345",
		"10.77.0.2:7145/xdnd2d2p.flv":                       "page http://10.77.0.2:7145/xdnd2d2p.flv of xdnd2d2p",
		"10.77.0.2/":                                        "page http://10.77.0.2:7145",
		" (10.77.0.2). ":                                    "page http://10.77.0.2:7145",
		"[::1]":                                             "page http://[::1]:7145",
		"host.local":                                        "page http://host.local:7145",
		"host.local/":                                       "page http://host.local:7145",
		"Host.local:7144":                                   "page http://host.local:7145",
		"localhost":                                         "page http://localhost:7145",
		// names
		"AC/DC":            "name AC/DC",
		"2026.11.29":       "name 2026.11.29",
		"100%25":           "name 100%25",
		"Quiz #3":          "name Quiz #3",
		"Local.":           "name Local.",
		"[Finals]":         "name [Finals]",
		"home.example.org": "name home.example.org", // as much a title
		"Vol.1":            "name Vol.1",
	} {
		p, err := Paste(pastes.Replace(text))
		if got := p.said(); err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	for text, want := range map[string]string{
		"<relay://ID@>":                 "an address is missing",
		"relay://ID@a:http.":            `port "http" is not a number`,
		"relay:ID":                      "a link starts with relay://",
		"ftp://10.0.0.1/":               "a link starts with relay://",
		"http://":                       "there is no host",
		"http://[::1/":                  "there is no host",
		"10.77.0.256":                   `host "10.77.0.256" is neither a name nor an IP address`,
		"10.77.0.2:99999":               `port "99999" is not a number`,
		"10.77.0.2:http":                `port "http" is not a number`,
		"10.77.0:7144":                  `host "10.77.0" is neither`,
		"[::1]:99999":                   `port "99999"`,
		"fe80::1%eth0":                  "nobody can be reached at address",
		"0.0.0.0":                       "nobody can be reached at address",
		"http://0.0.0.0/":               "nobody can be reached at address",
		"http://300.1.1.1/":             `host "300.1.1.1" is neither`,
		"IDA@10.77.0.2:7144":            "a channel ID has 52 characters, this one has 20",
		"@10.77.0.2:7144":               "the channel ID is missing",
		"10.77.0.2:7144,10.77.0.3:7144": "the channel ID is missing",
		"relay://ID@ tonight":           "an address is missing",
		"relay://IDA\nIDB":              "there is no @",
		"ID@300.1.1.1":                  "is neither a name nor an IP address",
		strings.Repeat("a", 5000):       "it has 5000 characters",
		"relay://a\x1b[2J@a:1\x1b[m":    "bad link: ",
	} {
		p, err := Paste(pastes.Replace(text))
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.ExitUsage || f.Hint == "" || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: %s, %v; want %s", text, p.said(), err, want)
		}
	}
}

// A message may end in a log, a secret may not.
func TestNoSecretIsShown(t *testing.T) {
	for _, text := range []string{
		"ID#SECRET", "Finals#SECRET", "ID%23SECRET", "relay://ID@a:http#SECRET", "relay%3A//ID@a%zz%23SECRET",
		"http://[::1/#SECRET", "relay:ID#SECRET", "ID@300.1.1.1#SECRET", "IDA@10.0.0.1#SECRET",
		"10.0.0.256#SECRET", "10.0.0.1:x#SECRET", "[::1]:x#SECRET", "10.0.0.1,a#SECRET", "a.b.c#SECRET", "relay://ID@a:x\n#SECRET", "#SECRET", "#join-SECRET",
	} {
		p, err := Paste(pastes.Replace(text))
		if err == nil || strings.Contains(err.Error()+errHint(err), pastedSecret[:8]) {
			t.Errorf("%q: %s, %v", text, p.said(), err)
		}
	}
}

func errHint(err error) string {
	f, _ := errors.AsType[*fault.Error](err)
	return f.Hint
}

func FuzzPaste(f *testing.F) {
	for _, s := range []string{"<relay://" + pastedID + "@a>.", "relay watch http://10.0.0.1:7145/#abcd", pastedID + "@::1", "[::1]:7144", "“x”", "$ 0", "$ relay watch “x”", "$ (", "relay://" + pastedID, pastedID} {
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
		if p.ByID() {
			if again, err := Paste(p.Invite.String()); err != nil || !again.ByID() || again.Invite.Channel != p.Invite.Channel {
				t.Fatalf("%s reads back as %s, %v", p.Invite, again.said(), err)
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
			if p.Page.Host == "" || p.Page.Scheme != "http" && p.Page.Scheme != "https" || p.Page.User != nil || p.Page.Fragment != "" || p.Page.RawQuery != "" {
				t.Fatalf("%+v", p.Page)
			}
			return
		}
		s := mended(text)
		behind := inFront.MatchString(strings.TrimSpace(s)) && p.Name != "" && strings.Contains(s, p.Name)
		if p.Name != text && !behind {
			t.Fatalf("%q became %q", text, p.Name)
		}
	})
}
