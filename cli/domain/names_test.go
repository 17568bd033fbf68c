package domain

import (
	"strings"
	"testing"
)

// The samples of RFC 3492 §7.1 that are labels of lower-case letters, and two of everybody's.
func TestLettersAreCodedAsTheStandardHasThem(t *testing.T) {
	for _, c := range []struct{ label, coded string }{
		{"ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"},
		{"他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"},
		{"他們爲什麽不說中文", "ihqwctvzc91f659drss3x8bo0yb"},
		{"למההםפשוטלאמדבריםעברית", "4dbcagdahymbxekheh6e0a7fei0b"},
		{"यहलोगहिन्दीक्योंनहींबोलसकतेहैं", "i1baa7eci9glrd9b2ae1bj0hfcgg6iyaf8o0a1dig0cd"},
		{"なぜみんな日本語を話してくれないのか", "n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa"},
		{"почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"},
		{"3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"},
		{"majiでkoiする5秒前", "majikoi5-783gue6qz075azm5e"},
		{"bücher", "bcher-kva"},
		{"ü", "tda"},
	} {
		if got := punycoded(c.label); got != c.coded {
			t.Errorf("%s: %s, want %s", c.label, got, c.coded)
		}
		if got, ok := unpunycoded(c.coded); !ok || got != c.label {
			t.Errorf("%s: %q, want %s", c.coded, got, c.label)
		}
	}
	for _, bad := range []string{"ü", "a-!", "99999999", "zzzzzzzzzzzzzzzzzzzzzzzz", "0000000000000000000000000000", strings.Repeat("9", maxLabel)} {
		if got, ok := unpunycoded(bad); ok && punycoded(got) != bad {
			t.Errorf("%q is read as %q", bad, got)
		}
	}
}

func TestWhatIsADomain(t *testing.T) {
	for text, want := range map[string]string{
		"example.org": "example.org", "Example.ORG.": "example.org", "@example.org": "example.org", " a.b.example.org ": "a.b.example.org",
		"example.org/finals": "example.org/finals", "example.org/": "example.org", "example.org/Table 3": "example.org/Table 3",
		"bücher.example": "xn--bcher-kva.example", "BÜCHER.example": "xn--bcher-kva.example", "例え。テスト": "xn--r8jz45g.xn--zckzah",
		"xn--bcher-kva.example": "xn--bcher-kva.example", "1.2.3.example": "1.2.3.example",

		"": "", "example": "", "1.2.3.4": "", "v1.2": "", "Vol. 2": "", "a..b": "", ".org": "", "-a.org": "", "a-.org": "", "a.b": "",
		"example.org:7144": "", "http://example.org": "", "_relay.example.org": "", "a b.org": "", "[::1]": "", "::1": "", "a@b.org": "",
		"kitchen.local": "", "nas.lan": "", "pc.home.arpa": "", "x.internal": "", "a.localhost": "",
		"bu\u0308cher.example": "", "ex\x00ample.org": "", "ex\x1b[31m.org": "", "a\u200bb.org": "", "exa\u202emple.org": "", "\xff.org": "",
		strings.Repeat("a", 64) + ".org": "", strings.Repeat("a.", 127) + "org": "", strings.Repeat("ü", 60) + ".org": "", strings.Repeat("a.", 4000) + "org": "",
	} {
		n, channel, ok := Split(text)
		got := string(n)
		if channel != "" {
			got += "/" + channel
		}
		if ok != (want != "") || ok && got != want {
			t.Errorf("%.40q: %q %v, want %q", text, got, ok, want)
		}
	}
}

// What looks like another domain is told from it by how DNS knows it.
func TestADomainIsShownAsDNSKnowsIt(t *testing.T) {
	for n, want := range map[Name]string{
		"example.org":           "example.org",
		"xn--bcher-kva.example": "bücher.example (xn--bcher-kva.example)",
		"xn--e1awd7f.com":       "еріс.com (xn--e1awd7f.com)", // in Cyrillic letters
		"xn--99999999.org":      "xn--99999999.org",
		"xn--a-.org":            "xn--a-.org", // which codes nothing
		"xn--a-ecp.ru":          "xn--a-ecp.ru",
	} {
		if got := n.Shown(); got != want {
			t.Errorf("%s: %q, want %q", n, got, want)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"example.org/x", "@bücher.example", "xn--bcher-kva.example", "例え。テスト", "xn--99999999.a", "a.b.c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, _, ok := Split(s)
		if !ok {
			return
		}
		if again, err := Parse(string(n)); err != nil || again != n {
			t.Errorf("%q is %q, and that %q, %v", s, n, again, err)
		}
		if len(n) > maxName {
			t.Errorf("%q has %d bytes", n, len(n))
		}
		shown := n.Shown()
		if u, _, coded := strings.Cut(shown, " ("); coded {
			if again, err := Parse(u); err != nil || again != n {
				t.Errorf("%q is shown as %q, which is %q, %v", n, u, again, err)
			}
		}
	})
}
