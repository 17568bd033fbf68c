package fault

import (
	"strings"
	"testing"
)

func TestNearestNameIsSuggested(t *testing.T) {
	names := []string{"source", "watch", "tree", "top", "demo", "doctor", "link", "version", "help", "h", "max-children", "player"}
	for word, want := range map[string]string{
		"wach":                        "watch",
		"wtach":                       "watch",
		"sorce":                       "source",
		"tre":                         "tree",
		"lnik":                        "link",
		"versoin":                     "version",
		"max-childern":                "max-children",
		"docter":                      "doctor",
		"so":                          "source", // its beginning
		"tpo":                         "top",
		"list":                        "",
		"frobnicate":                  "",
		"":                            "",
		"x":                           "",
		"w\x1b[2J":                    "",
		strings.Repeat("watch", 1000): "",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("%.40q: %q, want %q", word, got, want)
		}
	}
}

func TestTyposAreCounted(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"abc", "abc", 0},
		{"abc", "acb", 1},
		{"abc", "abcd", 1},
		{"abcd", "abd", 1},
		{"abc", "axc", 1},
		{"kitten", "sitting", 3},
	} {
		if got := typos(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
