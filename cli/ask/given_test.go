package ask

import (
	"context"
	"slices"
	"strings"
	"testing"
)

func TestWhatComesAsSeveralArgumentsIsUnderstood(t *testing.T) {
	for args, want := range map[string]string{ // a | between two
		"":                                         "name ",
		"relay|watch|relay://ID@a:1":               "relay://ID@a:1",
		"$|relay|watch|relay://ID@a:1":             "relay://ID@a:1",
		"./relay|watch|relay|watch|ID@a:1":         "relay://ID@a:1",
		`C:\bin\relay.exe|watch|ID@a:1`:            "relay://ID@a:1",
		"sudo|/usr/bin/relay|serve|ID@a:1":         "relay://ID@a:1",
		"relay://IDA|IDB@a:7144":                   "relay://ID@a:7144",
		"relay://ID@a:71|44":                       "relay://ID@a:7144",
		"relay|watch|relay://ID@a:71|44":           "relay://ID@a:7144",
		"relay://ID@a:71|44|viewers":               "relay://ID@a:71",
		"relay://ID@a|:7144#SECRET":                "relay://ID@a:7144#SECRET",
		"relay://ID@a:7144|#SECRET":                "relay://ID@a:7144#SECRET",
		"IDA|IDB@a:7144":                           "relay://ID@a:7144",
		"relay|watch|relay://ID@a:1|(Finals)":      "relay://ID@a:1",
		"relay://ID@a:1|(Finals)":                  "relay://ID@a:1",
		"relay://ID@a:1|-|Finals|at|8":             "relay://ID@a:1",
		"Finals:|<relay://ID@a:1>":                 "relay://ID@a:1",
		"“relay|watch|ID@a:1”":                     "relay://ID@a:1",
		"page|http://10.77.0.2:7145/":              "page http://10.77.0.2:7145",
		"relay|watch|10.77.0.2":                    "page http://10.77.0.2:7145",
		"Finals|at|10.77.0.2":                      "page http://10.77.0.2:7145",
		"Finals|at|(203.0.113.7:7144).":            "page http://203.0.113.7:7145",
		"relay|watch|host:7145":                    "page http://host:7145",
		"relay|watch":                              "name ",
		"relay|watch|Finals":                       "name Finals",
		"relay watch Finals":                       "name Finals",
		"Grand|Finals":                             "name Grand Finals",
		"relay|race":                               "name relay race",
		"version|1.2.3.4":                          "name version 1.2.3.4",
		"10.77.0.2|or|10.77.0.3":                   "name 10.77.0.2 or 10.77.0.3",
		"relay tree relay://ID@a:1":                "relay://ID@a:1",
		"[relay://ID@a:1](relay://ID@a:1)":         "relay://ID@a:1",
		"[Finals, tonight](relay://ID@a:1).":       "relay://ID@a:1",
		"[relay://ID@[::1]:1](relay://ID@[::1]:1)": "relay://ID@[::1]:1",
		"go run ./cli/relay watch relay://ID@a:1":  "relay://ID@a:1",
	} {
		var all []string
		if args != "" {
			all = strings.Split(pastes.Replace(args), "|")
		}
		p, err := Given(all)
		if got := p.said(); err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", args, got, err, want)
		}
	}
}

func TestWhatIsWrongWithSeveralArgumentsIsSaid(t *testing.T) {
	for args, want := range map[string]string{
		"relay://ID@a:1|relay://ID@b:1":             "there are 2 links, and one is taken",
		"relay://IDA|and more":                      "bad link: ",
		"relay|watch|10.77.0.256":                   `bad address: host "10.77.0.256" is neither a name nor an IP address`,
		"rtmp://10.77.0.2/live/SECRET":              "an address that begins with rtmp:// is no link, which begins with relay://",
		"relay|watch|srt://10.77.0.2:9000?p=SECRET": "an address that begins with srt:// is no link, which begins with relay://",
	} {
		_, err := Given(strings.Split(pastes.Replace(args), "|"))
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), pastedSecret) {
			t.Errorf("%q: %v, want %s", args, err, want)
		}
	}
}

func TestSeveralLinksAreTakenApart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nobody is asked
	for args, want := range map[string][]string{
		"relay://ID@a:1":                                 {"relay://ID@a:1"},
		"relay://ID@a:1|relay://ID@b:1":                  {"relay://ID@a:1", "relay://ID@b:1"},
		"$|relay|serve|relay://ID@a:1|ID@b:1":            {"relay://ID@a:1", "relay://ID@b:1"},
		"relay|serve|relay://IDA|IDB@a:1|relay://ID@b:1": {"relay://ID@a:1", "relay://ID@b:1"},
		"relay://ID@a:1 relay://ID@b:1":                  {"relay://ID@a:1", "relay://ID@b:1"},
		"relay://ID@a:1|(Finals)|relay://ID@b:1,":        {"relay://ID@a:1", "relay://ID@b:1"},
		"": nil,
	} {
		var all []string
		if args != "" {
			all = strings.Split(pastes.Replace(args), "|")
		}
		invites, err := Invites(ctx, all, nil)
		var got []string
		for _, inv := range invites {
			got = append(got, Pasted{Invite: inv}.said())
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v; want %v", args, got, err, want)
		}
	}
}

func TestAPromptBeforeTheCommandIsLeftOut(t *testing.T) {
	for args, want := range map[string]string{
		"watch x": "watch x", "relay watch x": "watch x", "$ relay watch x": "watch x", "relay $ relay watch": "watch",
		"relay": "relay", "$": "$", "$ watch": "$ watch", "": "",
	} {
		if got := strings.Join(Command(strings.Fields(args)), " "); got != want {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
	}
}
