package srt

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestStreamIDs(t *testing.T) {
	for text, want := range map[string]StreamID{
		"":                               {},
		"publish:live":                   {Publish, "live"},
		"publish:live:user:pass":         {Publish, "live"},
		"PUBLISH:":                       {Publish, ""},
		"publish":                        {Publish, ""},
		"read:abcd":                      {Request, "abcd"},
		"play:abcd?start=key":            {Request, "abcd?start=key"},
		"request:abcd":                   {Request, "abcd"},
		"live/abcd":                      {},
		"#!::m=publish,r=live":           {Publish, "live"},
		"#!::r=live,m=publish,u=me":      {Publish, "live"},
		"#!::m=request,r=abcd":           {Request, "abcd"},
		"#!::r=abcd":                     {Request, "abcd"},
		"#!::":                           {Request, ""},
		"#!::m=bidirectional":            {Unknown, ""},
		"#!::m=what":                     {Unknown, ""},
		"#!::,,=,m=publish":              {Publish, ""},
		strings.Repeat("x", MaxStreamID): {},
		"publish:" + strings.Repeat("x", MaxStreamID): {Mode: Unknown},
	} {
		if got := ParseStreamID(text); got != want {
			t.Errorf("%q is %+v, want %+v", text, got, want)
		}
	}
}

func FuzzStreamID(f *testing.F) {
	for _, s := range []string{"", "publish:live", "#!::m=publish,r=live", "#!::r=a,m=request,u=b", "read:a?start=gop", "#!::m="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id := ParseStreamID(s)
		if id.Mode < Any || id.Mode > Unknown || len(id.Name) > len(s) || !strings.Contains(s, id.Name) {
			t.Errorf("%q is %+v", s, id)
		}
		if allocs := testing.AllocsPerRun(1, func() { ParseStreamID(s) }); allocs > 8+2*float64(strings.Count(s, ",")) {
			t.Errorf("%.0f allocations for %q", allocs, s)
		}
	})
}

func TestAddresses(t *testing.T) {
	least := Target{KeyLen: 16, Latency: MinLatency}
	with := func(f func(*Target)) Target { t := least; f(&t); return t }
	for text, want := range map[string]Target{
		"srt://host:8890":                                  with(func(t *Target) { t.Addr = "host:8890" }),
		"srt://[2001:db8::1]:8890?mode=caller":             with(func(t *Target) { t.Addr = "[2001:db8::1]:8890" }),
		"srt://:8890":                                      with(func(t *Target) { t.Addr, t.Listen = ":8890", true }),
		"srt://0.0.0.0:8890?mode=listener":                 with(func(t *Target) { t.Addr, t.Listen = "0.0.0.0:8890", true }),
		"srt://h:1?latency=200000":                         with(func(t *Target) { t.Addr, t.Latency = "h:1", 200*time.Millisecond }),
		"srt://h:1?latency=800":                            with(func(t *Target) { t.Addr, t.Latency = "h:1", 800*time.Millisecond }),
		"srt://h:1?latency=0&maxbw=-1":                     with(func(t *Target) { t.Addr = "h:1" }),
		"srt://h:1?passphrase=0123456789&pbkeylen=32":      with(func(t *Target) { t.Addr, t.Passphrase, t.KeyLen = "h:1", "0123456789", 32 }),
		"srt://h:1?streamid=%23!::r=a,m=request&program=3": with(func(t *Target) { t.Addr, t.StreamID, t.Program = "h:1", "#!::r=a,m=request", 3 }),
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParseTarget(u); err != nil || got != want {
			t.Errorf("%s is %+v, %v; want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]error{
		"srt://host": ErrAddress, "srt://host:0": ErrAddress, "srt://host:1/live": ErrAddress, "srt://:1?mode=caller": ErrAddress,
		"srt://h:1?mode=rendezvous": ErrMode, "srt://h:1?passphrase=short": ErrPassphrase, "srt://h:1?pbkeylen=17": ErrKeyLen,
		"srt://h:1?latency=9000000": ErrLatency, "srt://h:1?latency=9000": ErrLatency, "srt://h:1?latency=x": ErrLatency,
		"srt://h:1?program=0": ErrProgram, "srt://h:1?streamid=" + strings.Repeat("x", 513): ErrStreamID,
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParseTarget(u); err != want {
			t.Errorf("%s is %+v, %v; want %v", text, got, err, want)
		}
	}
}

func TestKeysThatStandInAnAddress(t *testing.T) {
	for key, want := range map[string]bool{"6rnh6quffok3aqap": true, "0123456789": true, "a.b_c~d-e0": true, "012345678": false, "a b c d e f": false, "ä123456789": false, strings.Repeat("k", 80): false, "100%sure&more": false} {
		if got := PlainKey(key); got != want {
			t.Errorf("%q: %v", key, got)
		}
	}
}

func TestACookieIsAnAddresss(t *testing.T) {
	c := newCookies()
	a, b := netip.MustParseAddrPort("192.0.2.1:5000"), netip.MustParseAddrPort("192.0.2.1:5001")
	now := time.Unix(1_000_000, 0)
	cookie := c.of(a, now)
	if !c.good(cookie, a, now) || !c.good(cookie, a, now.Add(cookieTime)) {
		t.Error("it is not good for a minute")
	}
	if c.good(cookie, b, now) || c.good(cookie, a, now.Add(2*cookieTime)) || c.good(0, a, now) {
		t.Error("it is good for others, or for ever")
	}
}

func TestPassphrasesAreTriedAFewTimesASecond(t *testing.T) {
	g := newTurnstile(func(a netip.Addr) bool { return a.IsPrivate() })
	now := time.Unix(1_000_000, 0)
	stranger, near := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.168.1.2")
	if !g.allow(stranger, now) {
		t.Fatal("the first is not let in")
	}
	g.failed(stranger, now)
	if g.allow(stranger, now.Add(wrongPause-1)) || !g.allow(stranger, now.Add(wrongPause)) {
		t.Error("a wrong one does not wait for a second")
	}
	n := 0
	for i := range 1000 {
		a := netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)})
		if g.allow(a, now.Add(wrongPause)) {
			n++
		}
		g.failed(a, now)
	}
	if n > triesBurst {
		t.Errorf("%d of 1000 at once", n)
	}
	if !g.allow(near, now.Add(wrongPause)) {
		t.Error("strangers shut out this network's own")
	}
	if len(g.wrong) > maxWrong {
		t.Errorf("%d addresses are remembered", len(g.wrong))
	}
	if group(netip.MustParseAddr("2001:db8::1")) != group(netip.MustParseAddr("2001:db8::2")) {
		t.Error("a network has more than one turn")
	}
}
