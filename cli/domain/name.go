package domain

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxLabel and maxName bound a domain and what is between its dots, in bytes (RFC 1035 §2.3.4).
	maxLabel = 63
	maxName  = 253
	// maxWritten bounds what is looked at of what a person wrote, in bytes.
	maxWritten = 1024
	// punyPrefix begins a label that stands for one with letters beyond ASCII (RFC 5890).
	punyPrefix = "xn--"
)

// Name is a domain as DNS knows it: ASCII in lower case, without a dot at its end.
type Name string

// Why a text is no domain.
var (
	errNoDomain = errors.New("a domain looks like example.org")
	errLetters  = errors.New("it has letters that cannot be looked up: copy it from the address line of a browser, where it may begin with xn--")
)

// insiders end names that only machines of one network have; nobody can look them up elsewhere.
var insiders = []string{"local", "localhost", "lan", "internal", "arpa", "onion"}

// Parse reads a domain as people write it.
func Parse(s string) (Name, error) {
	if len(s) > maxWritten {
		return "", errNoDomain
	}
	s = strings.ToLower(strings.TrimSuffix(strings.ReplaceAll(s, "。", "."), "."))
	labels := strings.Split(s, ".")
	for i, l := range labels {
		ascii, err := label(l)
		if err != nil {
			return "", err
		}
		labels[i] = ascii
	}
	last := labels[len(labels)-1]
	n := strings.Join(labels, ".")
	if _, err := netip.ParseAddr(n); err == nil || len(labels) < 2 || len(n) > maxName || len(last) < 2 || strings.Trim(last, "0123456789") == "" || slices.Contains(insiders, last) {
		return "", errNoDomain
	}
	return Name(n), nil
}

// label returns one in ASCII. Letters beyond that have to be composed, as keyboards write them: there is no table
// here of what else looks the same (UTS #46).
func label(l string) (string, error) {
	if l == "" || utf8.RuneCountInString(l) > maxLabel || l[0] == '-' || l[len(l)-1] == '-' {
		return "", errNoDomain
	}
	plain := true
	for _, r := range l {
		switch {
		case r < utf8.RuneSelf:
			if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
				return "", errNoDomain
			}
		case r >= 0x300 && r < 0x370, r == utf8.RuneError: // marks behind a letter with which they could be one
			return "", errLetters
		case unicode.In(r, unicode.Ll, unicode.Lo, unicode.Lm, unicode.Nd, unicode.M):
			plain = false
		default:
			return "", errNoDomain
		}
	}
	if !plain {
		l = punyPrefix + punycoded(l)
	}
	if len(l) > maxLabel {
		return "", errNoDomain
	}
	return l, nil
}

// Shown is the domain for people: where it has letters beyond ASCII, in those and as DNS knows it, since letters
// of several scripts look alike.
func (n Name) Shown() string {
	labels := strings.Split(string(n), ".")
	for i, l := range labels {
		coded, ok := strings.CutPrefix(l, punyPrefix)
		if !ok {
			continue
		}
		u, ok := unpunycoded(coded)
		if !ok {
			return string(n)
		}
		if back, err := label(u); err != nil || back != l { // it is written so to look like something else
			return string(n)
		}
		labels[i] = u
	}
	if u := strings.Join(labels, "."); u != string(n) {
		return u + " (" + string(n) + ")"
	}
	return string(n)
}

// Split reads a domain, and behind a slash which of its channels is meant. It reports false for all else, also
// for names of machines of this network, and for a name with a port.
func Split(text string) (n Name, channel string, ok bool) {
	host, channel, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), "@"), "/")
	n, err := Parse(host)
	return n, strings.TrimSpace(channel), err == nil
}
