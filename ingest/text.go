package ingest

import (
	"strings"
	"unicode"

	"go.uber.org/zap"
)

// maxText is how much of a string from outside is shown, in bytes.
const maxText = 120

// printable makes a string from outside fit for a log or terminal: no control
// characters, no line breaks, and not long.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '.'
		}
		return r
	}, s[:min(len(s), maxText)])
	return s
}

// logger returns l, or one that discards if l is nil.
func logger(l *zap.Logger) *zap.Logger {
	if l == nil {
		return zap.NewNop()
	}
	return l
}
