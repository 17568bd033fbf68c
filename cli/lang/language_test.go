package lang

import (
	"strings"
	"testing"
)

func german() *Language {
	return newLanguage("de", []Entry{
		{"relay: error: %s", "relay: Fehler: %s"},
		{"no relay answers at %s: %w", "an %s antwortet kein relay: %s"},
		{"nothing listens on that port", "an diesem Port lauscht nichts"},
		{"1 child", "1 Kind"},
		{"%d children", "%d Kinder"},
		{"%s of %d: %q", "von %[2]d: %[3]q, %[1]s"},
		{"The disk is full", "Die Platte ist voll"},
		{"It begins by itself.", "Es beginnt von selbst."},
		{"Is it on?", "Ist es an?"},
		{"what is kept of channel {channel} cannot be read ({error})", "was von Kanal {channel} aufbewahrt ist, ist nicht lesbar ({error})"},
		{"100%% of %d", "100 %% von %d"},
	})
}

func TestSentencesAreFound(t *testing.T) {
	for english, want := range map[string]string{
		"": "",
		"relay: error: no relay answers at h:1: nothing listens on that port": "relay: Fehler: an h:1 antwortet kein relay: an diesem Port lauscht nichts",
		"relay: error: unheard-of":               "relay: Fehler: unheard-of",
		"1 child":                                "1 Kind",
		"3 children":                             "3 Kinder",
		"many children":                          "many children",
		"3 children ":                            "3 Kinder ",
		"  1 child":                              "  1 Kind",
		`rest of 4: "a \" b"`:                    `von 4: "a \" b", rest`,
		"The disk is full.":                      "Die Platte ist voll.",
		"The disk is full. It begins by itself.": "Die Platte ist voll. Es beginnt von selbst.",
		"It begins by itself. Unheard-of. Is it on? Really":             "Es beginnt von selbst. Unheard-of. Ist es an? Really",
		"a.flv: nothing listens on that port":                           "a.flv: an diesem Port lauscht nichts",
		"what is kept of channel abc cannot be read (The disk is full)": "was von Kanal abc aufbewahrt ist, ist nicht lesbar (Die Platte ist voll)",
		"100% of 3": "100 % von 3",
		// What stands between quotation marks is what somebody else says or is called, and stays.
		`relay: error: "1 child"`:                                  `relay: Fehler: "1 child"`,
		`rest of 4: "The disk is full"`:                            `von 4: "The disk is full", rest`,
		`relay: error: "My show: The disk is full. Bye"`:           `relay: Fehler: "My show: The disk is full. Bye"`,
		`The disk is full. "Is it on? Is it on?" Is it on?`:        `Die Platte ist voll. "Is it on? Is it on?" Is it on?`,
		`"a \\\": The disk is full": nothing listens on that port`: `"a \\\": The disk is full": an diesem Port lauscht nichts`,
	} {
		if got := german().In(english); got != want {
			t.Errorf("%q: %q, want %q", english, got, want)
		}
	}
	if got := (*Language)(nil).In("1 child"); got != "1 child" {
		t.Errorf("English: %q", got)
	}
}

// What strangers write may look like anything, and may be long.
func FuzzIn(f *testing.F) {
	for _, s := range []string{"relay: error: a: b: c. d; e? f", "no relay answers at : ", strings.Repeat(": ", 100), "\xff: \x00"} {
		f.Add(s)
	}
	l := german()
	f.Fuzz(func(t *testing.T, s string) {
		if got := l.In(s); len(got) > 4*len(s)+200 {
			t.Errorf("%q: %q", s, got)
		}
	})
}

func TestALongTextCostsLittle(t *testing.T) {
	l := german()
	for _, s := range []string{strings.Repeat("a: ", maxText/3), strings.Repeat("a. b? ", maxText/6), strings.Repeat("relay: error: ", maxText/14)} {
		l.In(s) // with more than linear cost in the number of parts this would not end
	}
}
