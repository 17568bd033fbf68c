package ingest

import "go.uber.org/zap"

// logger returns l, or one that discards if l is nil.
func logger(l *zap.Logger) *zap.Logger {
	if l == nil {
		return zap.NewNop()
	}
	return l
}
