package ingest

import (
	"go.uber.org/zap"

	"relay/relay/oneline"
)

// maxText is how much of a string from outside is shown, in characters.
const maxText = 120

// printable makes a string from outside fit for a log or an error, and short.
func printable(s string) string { return oneline.Clean(s, maxText) }

// logger returns l, or one that discards if l is nil.
func logger(l *zap.Logger) *zap.Logger {
	if l == nil {
		return zap.NewNop()
	}
	return l
}
