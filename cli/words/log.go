package words

import (
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"relay/cli/term"
)

// NewLog returns a logger to stderr, for warnings or, with --verbose, for everything. It writes
// lines for people to a terminal, and JSON to anything else: one a second of each kind.
func NewLog(t *term.Terminal, verbose bool) *zap.Logger {
	level := zapcore.WarnLevel
	if verbose {
		level = zapcore.DebugLevel
	}
	var enc zapcore.Encoder
	if t.ErrTTY {
		c := zap.NewDevelopmentEncoderConfig()
		c.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		c.ConsoleSeparator = "  " // no tab gets through the terminal's check of strangers' text
		enc = zapcore.NewConsoleEncoder(c)
	} else {
		c := zap.NewProductionEncoderConfig()
		c.EncodeTime = zapcore.RFC3339NanoTimeEncoder
		enc = zapcore.NewJSONEncoder(c)
	}
	return zap.New(newQuiet(zapcore.NewCore(enc, zapcore.AddSync(logWriter{t}), level)))
}

// logWriter puts log lines above the status line.
type logWriter struct{ t *term.Terminal }

func (w logWriter) Write(b []byte) (int, error) {
	w.t.Say("%s", strings.TrimRight(string(b), "\n"))
	return len(b), nil
}
