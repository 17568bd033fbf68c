package dht

import (
	"bytes"
	"strconv"
)

// Bencode (BEP 3), as far as messages of the DHT need it: strings, integers and dictionaries are read, lists
// are skipped. Nothing here copies, and nothing calls itself: what a stranger nests costs no stack.

// maxDepth is how deep lists and dictionaries may be in each other; messages of the DHT have three levels.
const maxDepth = 8

// cut splits the first value off b.
func cut(b []byte) (value, rest []byte, ok bool) {
	at, depth := 0, 0
	for at < len(b) {
		switch c := b[at]; {
		case c == 'i':
			end := bytes.IndexByte(b[at:], 'e')
			if end < 0 {
				return nil, nil, false
			}
			if _, ok := integer(b[at : at+end+1]); !ok {
				return nil, nil, false
			}
			at += end + 1
		case c == 'l' || c == 'd':
			if depth++; depth > maxDepth {
				return nil, nil, false
			}
			at++
		case c == 'e':
			if depth--; depth < 0 {
				return nil, nil, false
			}
			at++
		default:
			_, after, ok := cutText(b[at:])
			if !ok {
				return nil, nil, false
			}
			at = len(b) - len(after)
		}
		if depth == 0 {
			return b[:at], b[at:], true
		}
	}
	return nil, nil, false
}

// cutText splits a string off b: its length in decimal, a colon, its bytes.
func cutText(b []byte) (text, rest []byte, ok bool) {
	const digits = 4 // no packet has longer ones
	colon := bytes.IndexByte(b[:min(len(b), digits+1)], ':')
	if colon < 1 || b[0] == '0' && colon > 1 {
		return nil, nil, false
	}
	n := 0
	for _, c := range b[:colon] {
		if c < '0' || c > '9' {
			return nil, nil, false
		}
		n = n*10 + int(c-'0')
	}
	b = b[colon+1:]
	if n > len(b) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// text returns the bytes of a value that is a string.
func text(value []byte) ([]byte, bool) {
	t, rest, ok := cutText(value)
	return t, ok && len(rest) == 0
}

// integer returns a value that is an integer of 64 bits, in its one form.
func integer(value []byte) (int64, bool) {
	if len(value) < 3 || len(value) > 22 || value[0] != 'i' || value[len(value)-1] != 'e' {
		return 0, false
	}
	digits := string(value[1 : len(value)-1])
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == digits
}

// dict is a value that is a dictionary.
type dict []byte

// asDict returns a value as a dictionary, none if it is no whole one.
func asDict(value []byte) (dict, bool) {
	v, rest, ok := cut(value)
	if !ok || len(rest) != 0 || v[0] != 'd' {
		return nil, false
	}
	d := dict(v)
	for b := v[1 : len(v)-1]; len(b) > 0; {
		if _, b, ok = cutText(b); !ok {
			return nil, false
		}
		if _, b, ok = cut(b); !ok {
			return nil, false
		}
	}
	return d, true
}

// get returns the value of a key, the first if there are several, nil if there is none.
func (d dict) get(key string) []byte {
	if len(d) == 0 {
		return nil
	}
	for b := d[1 : len(d)-1]; len(b) > 0; {
		k, rest, _ := cutText(b) // asDict has looked
		v, rest, _ := cut(rest)
		if string(k) == key {
			return v
		}
		b = rest
	}
	return nil
}

// text returns the string of a key, nil if there is none.
func (d dict) text(key string) []byte {
	t, _ := text(d.get(key))
	return t
}

// dict returns the dictionary of a key, an empty one if there is none.
func (d dict) dict(key string) dict {
	in, _ := asDict(d.get(key))
	return in
}

func appendText[T string | []byte](b []byte, t T) []byte {
	b = strconv.AppendInt(b, int64(len(t)), 10)
	b = append(b, ':')
	return append(b, t...)
}

func appendInteger(b []byte, n int64) []byte {
	b = append(b, 'i')
	b = strconv.AppendInt(b, n, 10)
	return append(b, 'e')
}
