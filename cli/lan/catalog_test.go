package lan

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/relay/discovery"
	"relay/relay/stream"
)

// foundAt is a channel as a node announces it.
func foundAt(addr string, id byte, title string, state discovery.State, source bool) discovery.Found {
	return discovery.Found{
		Channel: discovery.Channel{ID: stream.ChannelID{id}, Title: title, State: state, Source: source},
		Addr:    netip.MustParseAddrPort(addr), After: time.Millisecond,
	}
}

func TestSourceIsNamedFirstAndKnowsBest(t *testing.T) {
	var c Catalog
	relayed := foundAt("10.0.0.2:7144", 1, "an old title", discovery.Lost, false)
	relayed.BitRate = 1000
	own := foundAt("10.0.0.1:7144", 1, "the title", discovery.Live, true)
	own.BitRate = 2000
	for _, f := range []discovery.Found{relayed, own, relayed, own, foundAt("[fe80::1%eth0]:7144", 1, "", discovery.Live, true)} {
		c.Add(f)
	}
	if len(c.Channels) != 1 {
		t.Fatalf("%d channels", len(c.Channels))
	}
	s := c.Channels[0]
	want := []netip.AddrPort{own.Addr, netip.MustParseAddrPort("[fe80::1%eth0]:7144"), relayed.Addr}
	if s.Title != "the title" || s.BitRate != 2000 || s.State != discovery.Live || !s.Source || !slices.Equal(s.Addrs, want) {
		t.Errorf("got %+v", *s)
	}
	hosts, zoned := Seeds(s.Addrs)
	if fmt.Sprint(hosts, zoned) != "[10.0.0.1:7144 10.0.0.2:7144] [[fe80::1%eth0]:7144]" {
		t.Errorf("to begin at: %v, %v", hosts, zoned)
	}
}

func TestLiarsAnswersAreBounded(t *testing.T) {
	var c Catalog
	addr := func(i int) string { return fmt.Sprintf("10.0.%d.%d:7144", i>>8, i&255) }
	for i := range 1000 {
		f := foundAt(addr(i), 0, "", discovery.Live, false)
		c.Add(f)
		f.ID = stream.ChannelID{byte(i >> 8), byte(i), 1}
		c.Add(f)
	}
	if len(c.Channels) != maxSeen || len(c.Channels[0].Addrs) != MaxSeenAddrs {
		t.Errorf("%d channels, %d addresses", len(c.Channels), len(c.Channels[0].Addrs))
	}
	c.Add(foundAt("10.9.9.9:7144", 0, "", discovery.Live, true)) // is not crowded out
	if a := c.Channels[0].Addrs; len(a) != MaxSeenAddrs || a[0].String() != "10.9.9.9:7144" {
		t.Errorf("the source is not first: %v", a)
	}
}

func someChannels() *Catalog {
	var c Catalog
	c.Add(foundAt("10.0.0.1:7144", 0x11, "Quiz night", discovery.Live, true))
	c.Add(foundAt("10.0.0.2:7144", 0x22, "quiz Finals", discovery.Waiting, true))
	c.Add(foundAt("10.0.0.3:7144", 0x33, "Quiz", discovery.Lost, false))
	c.Add(foundAt("10.0.0.4:7144", 0x44, "", discovery.Live, false))
	c.Add(foundAt("10.0.0.5:7144", 0x55, strings.Repeat("x", discovery.MaxTitle), discovery.Live, false))
	return &c
}

func ids(ss []*Channel) string {
	var all []string
	for _, s := range ss {
		all = append(all, fmt.Sprintf("%x", s.ID[0]))
	}
	return strings.Join(all, " ")
}

func TestNameMeansTitleOrID(t *testing.T) {
	c := someChannels()
	id := stream.ChannelID{0x44}.String()
	for name, want := range map[string]string{
		"quiz night":            "11",
		" QUIZ Night\n":         "11",
		"Quiz":                  "33", // the exact title
		"Qui":                   "11 22 33",
		"quiz f":                "22",
		"finals":                "",
		"nobody":                "",
		id:                      "44",
		id[:4]:                  "44",
		id[:3]:                  "",
		"":                      "",
		strings.ToUpper(id[:9]): "44",
		strings.Repeat("x", discovery.MaxTitle+40):  "55", // announced without its end
		strings.Repeat("x", discovery.MaxTitle-100): "55",
	} {
		if got := ids(c.named(name)); got != want {
			t.Errorf("%q means %q, want %q", name, got, want)
		}
	}
}

func TestMissedNameIsToldFromAShortOne(t *testing.T) {
	c := someChannels()
	for name, want := range map[string]string{
		"nobody":                            `no channel on this network has a title or an ID that begins with "nobody"`,
		stream.ChannelID{0x44}.String()[:3]: "is too short for an ID: 4 characters name one at least",
	} {
		if err := c.missed(name); !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
}

func TestWhoNamesNoneMeansThoseThatHaveASource(t *testing.T) {
	if got := ids(someChannels().choice()); got != "44 11 55 22" {
		t.Errorf("the choice is %s", got)
	}
	var c Catalog
	c.Add(foundAt("10.0.0.3:7144", 0x33, "", discovery.Lost, false))
	if got := ids(c.choice()); got != "33" {
		t.Errorf("the choice is %s", got)
	}
}

func TestChoiceIsAskedForUntilThereIsOne(t *testing.T) {
	ss := someChannels().choice()
	for in, want := range map[string]string{
		"2\n":                    "11",
		"\n0\n5\nnobody\n3\n":    "55",
		"quiz n\n":               "11",
		"1":                      "", // not a whole line
		"":                       "",
		strings.Repeat("1", 1e6): "",
	} {
		var out bytes.Buffer
		s, err := choose(t.Context(), &term.Terminal{Err: &out, ErrTTY: true}, strings.NewReader(in), ss)
		got := ""
		if s != nil {
			got = ids([]*Channel{s})
		}
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%.20q chooses %q, %v, want %q", in, got, err, want)
		}
		if err != nil && fault.Report(&term.Terminal{Err: io.Discard}, err) != fault.ExitUsage {
			t.Errorf("%.20q: %v", in, err)
		}
		for i, id := range []string{"44", "11", "55", "22"} {
			if want := fmt.Sprintf("%4d  %s", i+1, ss[i].ID.Short()); !strings.Contains(out.String(), want) {
				t.Errorf("%s is not offered as %q:\n%s", id, want, &out)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	keyboard, typist := io.Pipe() // nobody types
	defer typist.Close()
	if s, err := choose(ctx, &term.Terminal{Err: io.Discard, ErrTTY: true}, keyboard, ss); s != nil || err != nil {
		t.Errorf("interrupted: %v, %v", s, err)
	}
}

func TestStrangersTitleIsTextInLists(t *testing.T) {
	var c Catalog
	c.Add(foundAt("10.0.0.1:7144", 1, "a\x1b[31m\n\tb\u202e", discovery.Live, true))
	c.Add(foundAt("10.0.0.1:7144", 2, "short", discovery.Live, true))
	ls := Table(c.Sorted(), func(s string) string { return s })
	for _, l := range append(ls, seenText(c.Sorted())) {
		if strings.ContainsAny(l, "\x1b\n\t\u202e") {
			t.Errorf("%q", l)
		}
	}
	if at := strings.Index(ls[0], "STATE"); len([]rune(ls[1])) <= at || string([]rune(ls[1])[at:at+4]) != "live" || ls[2][at:at+4] != "live" {
		t.Errorf("the columns are not straight:\n%s", strings.Join(ls, "\n"))
	}
	var out bytes.Buffer
	if err := WriteJSON(&out, &c); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "\u202e") {
		t.Errorf("in JSON: %q", out.String())
	}
	if strings.ContainsAny(out.String(), "\x1b\t") || strings.Count(out.String(), "\n") != 2 {
		t.Errorf("JSON: %q", &out)
	}
}

func TestWhatWasSearchedIsSaid(t *testing.T) {
	at := func(name, addr string) discovery.Asked {
		return discovery.Asked{Interface: name, From: netip.MustParseAddr(addr)}
	}
	for want, asked := range map[string][]discovery.Asked{
		"": {at("lo", "127.0.0.1")},
		"eth0 (192.168.1.5, fe80::1), wlan0 (10.0.0.5)": {
			at("eth0", "192.168.1.5"), at("eth0", "fe80::1"), at("lo", "127.0.0.1"), at("wlan0", "10.0.0.5"),
		},
	} {
		if got, ok := AskedText(asked); got != want || ok != (want != "") {
			t.Errorf("got %q, %v", got, ok)
		}
		if code := fault.Report(&term.Terminal{Err: io.Discard}, NoneFound(asked)); code != fault.ExitNobody {
			t.Errorf("exit code %d", code)
		}
	}
}
