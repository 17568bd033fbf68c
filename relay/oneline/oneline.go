// Package oneline makes one line of plain text of what a stranger has written, so that it
// can be shown in a terminal, a log, JSON or a page and looks there like what it is.
package oneline

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean returns s as one line of at most most characters, in valid UTF-8, without blanks
// around it. Cleaning it again changes nothing.
//
//   - White space of every kind becomes a blank: tabs, line and paragraph breaks too.
//   - What has no look of its own but acts on what is around it becomes U+FFFD, so that
//     one sees that there was something: control characters (C0 and C1, so escape codes
//     too), marks that change the direction of writing (the bidi controls of UAX #9),
//     and what Unicode has not assigned. So do bytes that are no UTF-8.
//   - What cannot be seen at all is left out: zero-width spaces and joiners, soft
//     hyphens, tags, fillers. Two texts that look alike would differ by them. Joiners do
//     matter to some scripts and to emoji of several parts, which are shown unjoined.
//     The two variation selectors that choose between text and emoji stay.
func Clean(s string, most int) string {
	if plain(s) && len(s) <= most {
		return strings.Trim(s, " ")
	}
	var b strings.Builder
	for n := 0; n < most; {
		r, size := utf8.DecodeRuneInString(s)
		if size == 0 {
			break
		}
		s = s[size:]
		if r = shown(r); r == nothing || r == ' ' && n == 0 {
			continue
		}
		b.WriteRune(r)
		n++
	}
	return strings.TrimRight(b.String(), " ")
}

// plain reports whether s is printable ASCII, as most texts are.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// nothing stands for a character that is left out.
const nothing = -1

const (
	textStyle, emojiStyle = '\ufe0e', '\ufe0f' // variation selectors 15 and 16
	brailleBlank          = '\u2800'           // a symbol by its class, a blank by its look
)

// shown is what a character is shown as.
func shown(r rune) rune {
	switch {
	case r == textStyle, r == emojiStyle:
		return r
	case unicode.Is(unicode.White_Space, r), r == brailleBlank:
		return ' '
	case unicode.Is(unicode.Bidi_Control, r):
		return unicode.ReplacementChar
	case unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return nothing
	case !unicode.IsPrint(r):
		return unicode.ReplacementChar
	}
	return r
}

// mostQuoted is how much of a text Quote shows, in bytes: enough to know it again.
const mostQuoted = 40

// Quote shows the beginning of a text in a message about it: in quotation marks, with
// all that is not ASCII escaped, so that one sees what is wrong with it.
func Quote(s string) string {
	if len(s) > mostQuoted {
		return strconv.QuoteToASCII(s[:mostQuoted]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
