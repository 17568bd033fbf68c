package privacy

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"

	"relay/relay/seal"
	"relay/relay/stream"
)

// What follows from a passphrase is what old links mean, and must never change.
func TestAPassphraseGivesTheSameSecretEverywhere(t *testing.T) {
	id := stream.ChannelID{3}
	a := Secret("correct horse  Battery staple\n", id)
	if a != Secret("correct horse battery staple", id) {
		t.Error("blanks and capitals count")
	}
	if a == Secret("correct horse battery staple", stream.ChannelID{4}) || a == Secret("correct horse battery stapler", id) {
		t.Error("the channel or the words do not count")
	}
	if !a.CanRead() || !a.ByPassphrase() || a.Fragment() != "passphrase" {
		t.Errorf("the link ends in %s", a.Fragment())
	}
	// The salt was computed with printf and sha256sum.
	salt, err := hex.DecodeString("940d55fce0ea2c2a000c3e4dad6ad75b")
	if err != nil {
		t.Fatal(err)
	}
	want := seal.OfPassphrase([seal.SecretLen]byte(argon2.IDKey([]byte("correct horse battery staple"), salt, 3, 65536, 4, 16)))
	if a != want {
		t.Error("the secret is another than the specification says")
	}
}

func TestOfferedPassphrasesAreStrongAndDiffer(t *testing.T) {
	all := strings.Fields(words)
	if len(all) != 1024 || len(slices.Compact(slices.Sorted(slices.Values(all)))) != 1024 {
		t.Fatalf("there are %d words", len(all))
	}
	for _, w := range all {
		if len(w) < 3 || len(w) > 9 || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" {
			t.Errorf("%q is no word to read out", w)
		}
	}
	seen := map[string]bool{}
	for range 200 {
		s := Offer()
		if len(strings.Fields(s)) != 6 || seen[s] {
			t.Errorf("%q is offered", s)
		}
		seen[s] = true
		if err := checkStrength(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestWeakPassphrasesAreRefused(t *testing.T) {
	for phrase, says := range map[string]string{
		"":                                        "is empty",
		" \t ":                                    "is empty",
		"hunter2":                                 "it takes 16 at least",
		"aaaaaaaaaaaaaaaaaaaaaa":                  "repeats itself",
		"abcdefghijklmnopqrstuvwxyz":              "repeats itself",
		"98765432109876543210":                    "repeats itself",
		"passwordpasswordpassword":                "repeats itself",
		"password password password":              "repeats itself",
		"2024 1101 0715 3391":                     "no letters",
		"the quick the quick the brown":           "3 different words",
		"my secret channel":                       "3 different words",
		"football tournament":                     "2 different words",
		"qwertyuiopasdfghjkl":                     "repeats itself",
		"qazwsxedcrfvtgbyhn":                      "repeats itself",
		"Correct horse battery staple!":           "many know",
		"one two three four five six":             "many know",
		"january february march april":            "many know",
		"hello world how are you":                 "many know",
		"lorem ipsum dolor sit amet 1":            "many know",
		"to be or not to be that is the question": "many know",
		strings.Repeat("long", 300):               "up to 1024 bytes",
		"not text \xff\xfe of any sort":           "up to 1024 bytes",
	} {
		err := checkStrength(phrase)
		if err == nil || !strings.Contains(err.Error(), says) || len(phrase) > 3 && strings.Contains(err.Error(), phrase) {
			t.Errorf("%.40q: %v, want %s", phrase, err, says)
		}
	}
	for _, phrase := range []string{"anchor velvet comet thistle", "kH7-tq2x.Lw9_vbNz", "Ein Pferd frisst keinen Gurkensalat", "солнце над тихой рекой встаёт"} {
		if err := checkStrength(phrase); err != nil {
			t.Errorf("%q: %v", phrase, err)
		}
	}
}
