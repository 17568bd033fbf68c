package nameplate

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"relay/relay/oneline"
)

const (
	// MaxName is the longest name, in bytes of UTF-8: what fits beside a node's tag.
	MaxName = 32
	// maxRaw bounds what is looked at of a longer text, in characters.
	maxRaw = 4 * MaxName
	// maxMarks is how many marks one character may bear: what writing needs. More climb out of their
	// line.
	maxMarks = 3
)

// quotes would end the quotation marks in which a name is shown.
const quotes = "\"“”„‟«»＂"

// Clean makes a name fit to be shown between quotation marks behind a node's tag: one line, as
// [oneline.Clean] has it, at most MaxName bytes, one blank at a time, no quotation marks but the single one,
// at most three marks on a character. What cannot be shown is left out. It is "" if nothing is left that
// one could know a node by, neither a letter nor a number nor a symbol. Cleaning it again changes
// nothing.
func Clean(s string) string {
	var b strings.Builder
	var last rune
	marks, seen := 0, false
	for _, r := range oneline.Clean(s, maxRaw) {
		switch {
		case r == unicode.ReplacementChar:
			continue
		case r == ' ':
			if b.Len() == 0 || last == ' ' {
				continue
			}
		case unicode.Is(unicode.M, r):
			if marks++; b.Len() == 0 || last == ' ' || marks > maxMarks {
				continue
			}
		case strings.ContainsRune(quotes, r):
			r = '\''
		}
		if b.Len()+utf8.RuneLen(r) > MaxName {
			break
		}
		if !unicode.Is(unicode.M, r) {
			marks = 0
			seen = seen || unicode.In(r, unicode.L, unicode.N, unicode.S)
		}
		b.WriteRune(r)
		last = r
	}
	if !seen {
		return ""
	}
	return strings.TrimRight(b.String(), " ")
}
