package index

import (
	_ "embed" // for the table of Shift_JIS
	"strconv"
	"strings"
	"unicode/utf8"
)

// text returns a line in UTF-8. What is no UTF-8 is Shift_JIS, unless it has at least as many
// characters that three or four bytes of UTF-8 make as places that are wrong: that is UTF-8 that
// somebody cut by bytes. Japanese text in Shift_JIS has no such characters but by rare chance.
func text(line string) string {
	if utf8.ValidString(line) {
		return line
	}
	good, bad := 0, 0
	for s := line; s != ""; {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			bad++
		case n > 2:
			good++
		}
		s = s[n:]
	}
	if good >= bad {
		return strings.ToValidUTF8(line, string(utf8.RuneError))
	}
	return shiftJIS(line)
}

// cp932 is what two bytes of Shift_JIS mean, as Windows writes it (code page 932, with its
// characters ① and 髙): for each lead byte 0x81 to 0x9F and 0xE0 to 0xFC, and each trail byte 0x40
// to 0x7E and 0x80 to 0xFC, a big-endian UTF-16 unit, or 0 for none. Python's codec gave it:
// bytes([lead, trail]).decode('cp932'), without private use.
//
//go:embed cp932.bin
var cp932 string

// trails is the number of trail bytes.
const trails = 0x7e - 0x40 + 1 + 0xfc - 0x80 + 1

// shiftJIS decodes Shift_JIS; a byte that begins nothing becomes U+FFFD.
func shiftJIS(s string) string {
	var b strings.Builder
	b.Grow(len(s) * 3 / 2)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < utf8.RuneSelf:
			b.WriteByte(c)
		case c >= 0xa1 && c <= 0xdf: // half-width katakana
			b.WriteRune(rune(c) - 0xa1 + '｡')
		case i+1 < len(s):
			r := pair(c, s[i+1])
			b.WriteRune(r)
			if r != utf8.RuneError {
				i++
			}
		default:
			b.WriteRune(utf8.RuneError)
		}
	}
	return b.String()
}

// pair returns the character of two bytes, or U+FFFD.
func pair(lead, trail byte) rune {
	row := int(lead) - 0x81
	if lead >= 0xe0 {
		row -= 0xe0 - 0xa0
	} else if lead > 0x9f {
		return utf8.RuneError
	}
	cell := int(trail) - 0x40
	if trail > 0x7f {
		cell--
	}
	at := 2 * (row*trails + cell)
	if row < 0 || trail < 0x40 || trail == 0x7f || trail > 0xfc || at >= len(cp932) {
		return utf8.RuneError
	}
	if r := rune(cp932[at])<<8 | rune(cp932[at+1]); r != 0 {
		return r
	}
	return utf8.RuneError
}

// escaped writes what would end a field, or be read as an entity.
var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// entities are those by name that pages write. HTML has more, and reads them without the
// semicolon too; "&copy=1" in a URL must stay what it is.
var entities = map[string]rune{"lt": '<', "gt": '>', "amp": '&', "quot": '"', "apos": '\'', "nbsp": ' '}

// longestEntity is the length of "#x10FFFF".
const longestEntity = 8

// plain puts the characters in the place of entities, once: what comes out is not read again.
func plain(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "&")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		s = rest
		end := strings.IndexByte(rest[:min(len(rest), longestEntity+1)], ';')
		if r, ok := entity(rest[:max(end, 0)]); ok {
			b.WriteRune(r)
			s = rest[end+1:]
		} else {
			b.WriteByte('&')
		}
	}
}

// entity returns what stands between & and a semicolon.
func entity(name string) (rune, bool) {
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		r, ok := entities[name]
		return r, ok
	}
	base := 10
	if hex, ok := strings.CutPrefix(strings.ToLower(digits), "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 21)
	return rune(n), err == nil && utf8.ValidRune(rune(n))
}
