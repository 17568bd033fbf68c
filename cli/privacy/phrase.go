package privacy

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"relay/relay/seal"
	"relay/relay/stream"
)

// The cost of a passphrase's secret: what RFC 9106 §4 advises where 2 GiB are too much. It takes some
// 100 ms here, and whoever guesses as long for each guess. The figures are part of what old links mean.
const (
	passes  = 3
	memory  = 64 << 10 // KiB
	threads = 4
	// saltContext begins what the salt is made of.
	saltContext = "relay/1 passphrase\x00"
)

const (
	// offered is how many words a passphrase has that is offered: 10 bits each.
	offered = 6
	// A passphrase that a person made up has that many characters at least, and that many different
	// ones: fewer are guessed even at such a cost.
	leastChars     = 16
	leastDifferent = 8
	// mostBytes bounds a passphrase.
	mostBytes = 1024
)

// Secret returns the access that a passphrase gives to a channel.
func Secret(phrase string, id stream.ChannelID) seal.Access {
	salt := sha256.Sum256(append([]byte(saltContext), id[:]...))
	return seal.OfPassphrase([seal.SecretLen]byte(argon2.IDKey([]byte(plain(phrase)), salt[:16], passes, memory, threads, seal.SecretLen)))
}

// plain is a passphrase as it counts: letters are small, and blanks are one between words, because it
// is told by voice.
func plain(phrase string) string { return strings.ToLower(strings.Join(strings.Fields(phrase), " ")) }

// Offer returns a passphrase that nobody knows yet.
func Offer() string {
	all := strings.Fields(words)
	chosen := make([]string, offered)
	for i := range chosen {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(all))))
		if err != nil {
			panic(err) // it never fails
		}
		chosen[i] = all[n.Int64()]
	}
	return strings.Join(chosen, " ")
}

var errEmpty = errors.New("the passphrase is empty")

// checkLength refuses what is no passphrase at all.
func checkLength(phrase string) error {
	switch {
	case plain(phrase) == "":
		return errEmpty
	case len(phrase) > mostBytes || !utf8.ValidString(phrase):
		return fmt.Errorf("a passphrase is text of up to %d bytes", mostBytes)
	}
	return nil
}

// checkStrength refuses a passphrase for a new channel that is easily guessed. It shows nothing of it.
func checkStrength(phrase string) error {
	if err := checkLength(phrase); err != nil {
		return err
	}
	s := plain(phrase)
	runes := []rune(s)
	var different []rune
	steps := 0 // characters that follow the one before, as in abcd, 4321 or qwerty, or repeat it
	letters := false
	for i, r := range runes {
		if !slices.Contains(different, r) {
			different = append(different, r)
		}
		if i > 0 && (r-runes[i-1] <= 1 && runes[i-1]-r <= 1 || neighbours(runes[i-1], r)) {
			steps++
		}
		letters = letters || unicode.IsLetter(r)
	}
	fields := strings.Fields(s)
	slices.Sort(fields)
	switch once := len(slices.Compact(fields)); {
	case len(runes) < leastChars:
		return fmt.Errorf("the passphrase has %d characters, and is guessed too easily: it takes %d at least", len(runes), leastChars)
	case len(different) < leastDifferent || 2*steps > len(runes) || repeats(s):
		return errors.New("the passphrase repeats itself, and is guessed too easily")
	case !letters:
		return errors.New("the passphrase has no letters, and is guessed too easily")
	case once > 1 && once < 4:
		return fmt.Errorf("the passphrase has %d different words, and is guessed too easily: it takes 4 at least, or one that is no word", once)
	case wellKnown(s):
		return errors.New("the passphrase is one that many know, and is guessed too easily")
	}
	return nil
}

// repeats reports whether a text is a shorter one, again and again.
func repeats(s string) bool {
	return strings.Contains((s + s)[1:2*len(s)-1], s) || strings.Contains((s + " " + s)[1:2*len(s)], s)
}
