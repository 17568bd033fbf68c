package stream

import (
	"strings"
	"testing"
)

func TestChannelIDSurvivesItsText(t *testing.T) {
	m := newMaker(t)
	for range 1000 {
		id := ChannelID(randBytes(m.rnd, len(ChannelID{})))
		s := id.String()
		if len(s) != ChannelIDLen || !strings.HasPrefix(s, id.Short()) || len(id.Short()) != ShortLen {
			t.Fatalf("text %q, short %q", s, id.Short())
		}
		for _, text := range []string{s, strings.ToUpper(s)} {
			if got, err := ParseChannelID(text); err != nil || got != id {
				t.Fatalf("%q: %v, %v", text, got, err)
			}
		}
	}
}

func TestChannelIDErrorsSayWhatIsWrong(t *testing.T) {
	good := ChannelID{1, 2, 3}.String()
	for s, says := range map[string]string{
		"":                                 "missing",
		good[1:]:                           "has 51",
		good + "a":                         "has 53",
		"1" + good[1:]:                     "a-z and the digits 2-7",
		" " + good[1:]:                     "a-z and the digits 2-7",
		"ü" + good[2:]:                     "a-z and the digits 2-7",
		good[:len(good)-1] + "b":           "last character",
		good[:20] + "\n" + good[21:]:       "a-z and the digits 2-7",
		good[:len(good)-2] + "\r\n":        "a-z and the digits 2-7",
		strings.Repeat("\n", ChannelIDLen): "a-z and the digits 2-7",
	} {
		if _, err := ParseChannelID(s); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v, want one with %q", s, err, says)
		}
	}
}
