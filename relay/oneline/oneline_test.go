package oneline

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestAStrangersTextBecomesOneLine(t *testing.T) {
	for _, c := range []struct {
		in   string
		most int
		want string
	}{
		{"", 10, ""},
		{"Finals", 10, "Finals"},
		{"  Finals, table 3 ", 99, "Finals, table 3"},
		{"Finals", 3, "Fin"},
		{"Fin als", 4, "Fin"},
		{"Finals", 0, ""},
		{"Finals", -1, ""},
		{"ビデオ 🎥 Ärger Ä", 99, "ビデオ 🎥 Ärger Ä"},
		{strings.Repeat("ü", 9), 4, "üüüü"},
		{"\x1b[31mred\x1b[0m", 99, "\ufffd[31mred\ufffd[0m"},
		{"C1 \u009b31m \u0085 next", 99, "C1 \ufffd31m   next"},
		{"a\r\nb\tc\vd\fe", 99, "a  b c d e"},
		{"line\u2028paragraph\u2029end", 99, "line paragraph end"},
		{"bell\a del\x7f nul\x00", 99, "bell\ufffd del\ufffd nul\ufffd"},
		{"\u202egpj.exe", 99, "\ufffdgpj.exe"},
		{"\u2066isolate\u2069 \u200emark\u200f\u061c", 99, "\ufffdisolate\ufffd \ufffdmark\ufffd\ufffd"},
		{"re\u200blay \ufeffre\u2060lay re\u00adlay", 99, "relay relay relay"},
		{"\u3164\uffa0\u115f\u034f\u180b\U000e0041\U000e0100", 99, ""}, // fillers, joiners, selectors, tags
		{"\u2800x\u2800", 99, "x"},
		{"\u00a0\u3000x\u00a0y", 99, "x y"},
		{"❤\ufe0f ❤\ufe0e", 99, "❤\ufe0f ❤\ufe0e"},
		{"👩\u200d🚀", 99, "👩🚀"},
		{"\xff\xfeab\xc3", 99, "\ufffd\ufffdab\ufffd"},
		{"\xed\xa0\x80", 99, "\ufffd\ufffd\ufffd"}, // half a surrogate pair
		{"\ue000\U0010ffff\u0378", 99, "\ufffd\ufffd\ufffd"},
		{strings.Repeat(" ", 1000) + "x", 3, "x"},
		{strings.Repeat("\u200b", 1000) + "x", 3, "x"},
	} {
		if got := Clean(c.in, c.most); got != c.want {
			t.Errorf("%q, at most %d: %q, want %q", c.in, c.most, got, c.want)
		}
	}
}

// check fails if got is not what Clean promises of in.
func check(t *testing.T, in string, most int) {
	t.Helper()
	got := Clean(in, most)
	if !utf8.ValidString(got) || utf8.RuneCountInString(got) > max(most, 0) {
		t.Fatalf("%q, at most %d: %q", in, most, got)
	}
	if strings.TrimSpace(got) != got {
		t.Fatalf("%q: blanks around %q", in, got)
	}
	for _, r := range got {
		unseen := unicode.In(r, unicode.C, unicode.Zl, unicode.Zp, unicode.Bidi_Control, unicode.Other_Default_Ignorable_Code_Point)
		if r != ' ' && unicode.IsSpace(r) || unseen || !unicode.IsPrint(r) {
			t.Fatalf("%q: %U is left in %q", in, r, got)
		}
	}
	if again := Clean(got, most); again != got {
		t.Fatalf("%q becomes %q, and that %q", in, got, again)
	}
}

func TestEveryCharacterIsSafeBetweenOthers(t *testing.T) {
	for r := range rune(unicode.MaxRune + 1) {
		check(t, "a"+string(r)+"b", 3)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		b := make([]byte, rnd.IntN(40))
		for i := range b {
			b[i] = byte(rnd.IntN(256))
		}
		check(t, string(b), rnd.IntN(40))
	}
}

func FuzzClean(f *testing.F) {
	f.Add("\u202e \x1b[2J\r\nab\u200b", 7)
	f.Add(" ", 1)
	f.Add("❤\ufe0f", 2)
	f.Fuzz(check)
}

func TestQuoteShowsWhatIsThere(t *testing.T) {
	for in, want := range map[string]string{
		"":                         `""`,
		"a\x1b\u202e":              `"a\x1b\u202e"`,
		strings.Repeat("x", 40):    `"` + strings.Repeat("x", 40) + `"`,
		strings.Repeat("x", 39000): `"` + strings.Repeat("x", 40) + `"…`,
	} {
		if got := Quote(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
