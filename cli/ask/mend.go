package ask

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

const (
	// opening and closing are what people and programs put around an address.
	opening = "<\"'`(“”„‘’‚«»*|"
	closing = ">\"'`)}“”‘’«».,;:!?…*_~|"
	// stops stand in no address, so that one ends before them.
	stops = "<>\"`“”„«»|&"
	// mostPieces bounds into how many pieces an address may be broken.
	mostPieces = 16
)

var (
	lineEnd   = regexp.MustCompile("\r\n|[\r\v\f\u0085\u2028\u2029]")
	softBreak = regexp.MustCompile(`=[ \t]*\n`)            // of quoted-printable mail; no address has a =
	quoteMark = regexp.MustCompile(`\n[ \t]*[>|][>| \t]*`) // of a mail that is answered
	margin    = regexp.MustCompile(` *\n *`)
	pasteMark = regexp.MustCompile(`\x1b\[20[01]~`) // of a terminal, around what is pasted
	inFront   = regexp.MustCompile(`^(?i:\$ |Share |Page |(\S*[/\\])?relay(\.exe)? (watch|serve|link|tree|top) )`)
	escaped   = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	markdown  = regexp.MustCompile(`^\[.*\]\(([^()\s]+)\)\.?$`)
)

// mended removes what programs put into a text on its way: what cannot be seen, kinds of blanks and
// line ends, the soft breaks and quote marks of mail, a terminal's marks, backslashes before slashes, and what stands in Markdown beside a link.
func mended(s string) string {
	s = pasteMark.ReplaceAllString(lineEnd.ReplaceAllString(s, "\n"), "")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r): // such as the zero-width space of a web page
			return -1
		case r != '\n' && unicode.IsSpace(r):
			return ' '
		}
		return r
	}, s)
	s = quoteMark.ReplaceAllString(softBreak.ReplaceAllString(s, "=\n"), "\n")
	s = margin.ReplaceAllString(s, "\n")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "=\n", ""), `\/`, "/")
	if m := markdown.FindStringSubmatch(strings.TrimSpace(s)); m != nil {
		return m[1]
	}
	return s
}

// unescaped replaces what is percent-encoded, twice since links in links are.
func unescaped(s string) string {
	for range 2 {
		s = escaped.ReplaceAllStringFunc(s, func(e string) string {
			n, _ := strconv.ParseUint(e[1:], 16, 8) // two hexadecimal digits
			return string([]byte{byte(n)})
		})
	}
	return s
}

// bare strips blanks, what stands around an address in a message, and the command before it.
func bare(s string) string {
	for {
		was := s
		s = strings.TrimRight(strings.TrimLeft(strings.TrimSpace(s), opening), closing)
		if said := inFront.FindString(s); strings.TrimSpace(s[len(said):]) != "" {
			s = s[len(said):]
		}
		if s == was {
			return s
		}
	}
}

// word is the beginning of s up to a blank, or to a sign that stands in no address.
func word(s string) string {
	if at := strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(stops, r) }); at >= 0 {
		s = s[:at]
	}
	s = strings.TrimRight(s, closing)
	if strings.HasSuffix(s, "]") && strings.Count(s, "]") > strings.Count(s, "[") { // around the address, not in it
		s = strings.TrimRight(s[:len(s)-1], closing)
	}
	return s
}

// whole reads the address that s begins with. One that is broken is put together again: where it
// cannot be read up to the blank, or where the next line has nothing but what may be the rest of it.
// Such a rest has to end as what relay prints does, in a port or a secret: a sentence does not.
func whole(s string, read func(string) (p Pasted, ends bool, err error)) (Pasted, error) {
	best, _, failed := read(word(s))
	joined := ""
	for i, piece := range pieces(s) {
		if joined += piece.text; i == 0 {
			continue
		}
		if failed == nil && !piece.alone && piece.text[0] != '#' {
			break
		}
		if p, ends, err := read(word(joined)); err == nil && ends {
			best, failed = p, nil
		}
	}
	return best, failed
}

// piece is a part of an address, if it is broken.
type piece struct {
	text  string
	alone bool // on its line
}

// pieces splits s at blanks, as far as an address may go.
func pieces(s string) (all []piece) {
	for line := range strings.SplitSeq(s, "\n") {
		words := strings.Fields(line)
		for _, w := range words {
			all = append(all, piece{w, len(words) == 1})
			if len(all) == mostPieces || strings.ContainsAny(w, stops) {
				return all
			}
		}
	}
	return all
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// indexFold is the index of an ASCII text in s, whatever the case; -1 if it is not there.
func indexFold(s, of string) int {
	for i := 0; i+len(of) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(of)], of) {
			return i
		}
	}
	return -1
}
