package directory

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A body is one JSON object (RFC 8259) without blanks between its parts, with values that are texts, whole numbers,
// true, false, or lists of texts: nothing deeper. Two programs that read the same bytes must see the same channel, so what
// JSON leaves to each reader is an error here: a key twice, an escape in a key, half a surrogate pair, bytes that are
// no UTF-8. Keys that are not known are passed over.

const (
	// maxKeys and maxList bound the keys of a body, and the texts in a list.
	maxKeys = 32
	maxList = 16
	// maxDigits bounds a number: more does not fit 64 bits for sure.
	maxDigits = 18
)

// value is one value of a body.
type value struct {
	kind kind
	s    string
	n    int64
	b    bool
	list []string
}

type kind int8

const (
	isText kind = iota
	isNumber
	isTruth
	isList
)

var errKind = errors.New("a value is of the wrong kind")

func (v value) text() (string, error) { return v.s, v.is(isText) }

func (v value) number() (int64, error) { return v.n, v.is(isNumber) }

func (v value) count() (int, error) { return int(max(-1, min(v.n, maxCount))), v.is(isNumber) }

func (v value) truth() (bool, error) { return v.b, v.is(isTruth) }

func (v value) is(k kind) error {
	if v.kind != k {
		return errKind
	}
	return nil
}

// places reads addresses of nodes, in their shortest form: IPv4 as itself, no zones, no names, none twice.
func (v value) places() ([]netip.AddrPort, error) {
	if err := v.is(isList); err != nil {
		return nil, err
	}
	if len(v.list) > MaxPlaces {
		return nil, fmt.Errorf("it has %d places, the most is %d", len(v.list), MaxPlaces)
	}
	all := make([]netip.AddrPort, len(v.list))
	for i, s := range v.list {
		at, err := place(s)
		if err != nil {
			return nil, err
		}
		for _, before := range all[:i] {
			if before == at {
				return nil, errors.New("it has a place twice")
			}
		}
		all[i] = at
	}
	return all, nil
}

func place(s string) (netip.AddrPort, error) {
	at, err := netip.ParseAddrPort(s)
	if err != nil || at.Port() == 0 || at.Addr().Zone() != "" || at.Addr().Is4In6() || at.String() != s {
		return at, errors.New("a place is not an address and a port, as in 203.0.113.7:7144 or [2001:db8::1]:7144")
	}
	return at, nil
}

// gateway reads one place; empty is none.
func (v value) gateway() (netip.AddrPort, error) {
	if err := v.is(isText); err != nil || v.s == "" {
		return netip.AddrPort{}, err
	}
	return place(v.s)
}

// appendBody writes an announcement in the order and form of design.md. What is empty is left out.
func appendBody(b []byte, a Announcement) []byte {
	b = append(b, `{"id":"`...)
	b = append(b, a.ID.String()...)
	b = append(b, `","seq":`...)
	b = strconv.AppendInt(b, a.Seq, 10)
	b = append(b, `,"ttl":`...)
	b = strconv.AppendInt(b, int64(a.TTL/time.Second), 10)
	if a.Live {
		b = append(b, `,"live":true`...)
	}
	for _, t := range []struct{ key, text string }{
		{"title", a.Title}, {"genre", a.Genre}, {"description", a.Description}, {"comment", a.Comment}, {"url", a.URL}, {"codecs", a.Codecs},
	} {
		if t.text != "" {
			b = append(append(append(b, `,"`...), t.key...), `":`...)
			b = appendText(b, t.text)
		}
	}
	if a.Listeners >= 0 {
		b = strconv.AppendInt(append(b, `,"listeners":`...), int64(a.Listeners), 10)
	}
	if a.BitRate > 0 {
		b = strconv.AppendInt(append(b, `,"bitrate":`...), int64(a.BitRate), 10)
	}
	if len(a.Places) > 0 {
		b = append(b, `,"places":[`...)
		for i, p := range a.Places {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(append(b, '"'), p.String()...), '"')
		}
		b = append(b, ']')
	}
	if a.PeerCast.IsValid() {
		b = append(append(append(b, `,"peercast":"`...), a.PeerCast.String()...), '"')
	}
	return append(b, '}')
}

// appendText writes a text that is one clean line.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

var errForm = errors.New("it is not JSON in the form of announcements")

// readObject calls take for each key of a body.
func readObject(body string, take func(key string, v value) error) error {
	if len(body) > MaxBody {
		return fmt.Errorf("it has %d bytes, the most is %d", len(body), MaxBody)
	}
	if !utf8.ValidString(body) {
		return errForm
	}
	r := reader{s: body}
	if !r.skip('{') {
		return errForm
	}
	var keys [maxKeys]string
	for n := 0; ; n++ {
		key, ok := r.text(false)
		if !ok || key == "" || !r.skip(':') || n == maxKeys {
			return errForm
		}
		for _, before := range keys[:n] {
			if before == key {
				return errors.New("it has a key twice")
			}
		}
		keys[n] = key
		v, ok := r.value()
		if !ok {
			return errForm
		}
		if err := take(key, v); err != nil {
			return fmt.Errorf("%s: %w", oneWord(key), err)
		}
		switch {
		case r.skip(','):
		case r.skip('}') && r.at == len(r.s):
			return nil
		default:
			return errForm
		}
	}
}

// oneWord is a key that take knows, and so the program's own.
func oneWord(key string) string { return key[:min(len(key), 16)] }

// reader reads a body from its start.
type reader struct {
	s  string
	at int
}

func (r *reader) skip(c byte) bool {
	if r.at < len(r.s) && r.s[r.at] == c {
		r.at++
		return true
	}
	return false
}

func (r *reader) value() (v value, ok bool) {
	if r.at == len(r.s) {
		return v, false
	}
	switch c := r.s[r.at]; {
	case c == '"':
		v.s, ok = r.text(true)
		return v, ok
	case c == '[':
		v.kind = isList
		v.list, ok = r.list()
		return v, ok
	case c == 't' || c == 'f':
		v.kind = isTruth
		for _, word := range []string{"true", "false"} {
			if strings.HasPrefix(r.s[r.at:], word) {
				r.at += len(word)
				v.b = word == "true"
				return v, true
			}
		}
		return v, false
	}
	v.kind = isNumber
	v.n, ok = r.number()
	return v, ok
}

func (r *reader) list() (all []string, ok bool) {
	r.at++
	if r.skip(']') {
		return nil, true
	}
	for len(all) < maxList {
		s, ok := r.text(true)
		if !ok {
			return nil, false
		}
		all = append(all, s)
		switch {
		case r.skip(']'):
			return all, true
		case !r.skip(','):
			return nil, false
		}
	}
	return nil, false
}

// number reads a whole number: no fraction, no exponent, no zero in front.
func (r *reader) number() (int64, bool) {
	from := r.at
	r.skip('-')
	digits := r.at
	for r.at < len(r.s) && r.s[r.at] >= '0' && r.s[r.at] <= '9' {
		r.at++
	}
	n := r.at - digits
	if n == 0 || n > maxDigits || n > 1 && r.s[digits] == '0' {
		return 0, false
	}
	v, err := strconv.ParseInt(r.s[from:r.at], 10, 64)
	return v, err == nil
}

// text reads a text in quotation marks, if escapes may be in it or else without.
func (r *reader) text(escapes bool) (string, bool) {
	if !r.skip('"') {
		return "", false
	}
	from := r.at
	for ; r.at < len(r.s); r.at++ {
		switch c := r.s[r.at]; {
		case c == '"':
			r.at++
			return r.s[from : r.at-1], true
		case c < ' ' || c == '\\' && !escapes:
			return "", false
		case c == '\\':
			return r.escaped(from)
		}
	}
	return "", false
}

// escaped reads on in a text that has an escape here.
func (r *reader) escaped(from int) (string, bool) {
	b := []byte(r.s[from:r.at])
	for r.at < len(r.s) {
		c := r.s[r.at]
		r.at++
		switch {
		case c == '"':
			return string(b), true
		case c < ' ':
			return "", false
		case c != '\\':
			b = append(b, c)
			continue
		}
		if r.at == len(r.s) {
			return "", false
		}
		c = r.s[r.at]
		r.at++
		switch i := strings.IndexByte(`"\/bfnrt`, c); {
		case i >= 0:
			b = append(b, "\"\\/\b\f\n\r\t"[i])
		case c == 'u':
			u, ok := r.hex()
			if !ok {
				return "", false
			}
			if u >= 0xd800 && u < 0xe000 { // a pair, the high half first (RFC 8259 §7)
				if u >= 0xdc00 || !strings.HasPrefix(r.s[r.at:], `\u`) {
					return "", false
				}
				r.at += 2
				low, ok := r.hex()
				if !ok || low < 0xdc00 || low >= 0xe000 {
					return "", false
				}
				u = 0x10000 + (u-0xd800)<<10 + (low - 0xdc00)
			}
			b = utf8.AppendRune(b, u)
		default:
			return "", false
		}
	}
	return "", false
}

// hex reads four digits.
func (r *reader) hex() (rune, bool) {
	if r.at+4 > len(r.s) {
		return 0, false
	}
	for _, c := range []byte(r.s[r.at : r.at+4]) {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(r.s[r.at:r.at+4], 16, 16)
	r.at += 4
	return rune(n), err == nil
}
