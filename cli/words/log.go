package words

import (
	"io"
	"log"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"relay/cli/term"
)

// NewLog returns a logger to stderr: of everything with --verbose, as lines for people on a terminal
// and as JSON to anything else, and of warnings alone without, as sentences. It writes one a second of each kind. It
// tells the terminal of --verbose, too: errors then come with Go's words.
func NewLog(t *term.Terminal, verbose bool) *zap.Logger {
	t.Verbose = verbose
	if !verbose {
		return zap.New(newQuiet(&sayingCore{LevelEnabler: zapcore.WarnLevel, t: t}))
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
	l := zap.New(newQuiet(zapcore.NewCore(enc, zapcore.AddSync(logWriter{t}), zapcore.DebugLevel)))
	_, _ = zap.RedirectStdLogAt(l, zapcore.DebugLevel) // fails for no known level; what Go's packages tell
	return l
}

// SilenceGo has Go's own log say nothing, in which packages such as net/http tell of strangers. With --verbose it
// goes to that of [NewLog].
func SilenceGo() { log.SetOutput(io.Discard) }

// logWriter puts log lines above the status line.
type logWriter struct{ t *term.Terminal }

func (w logWriter) Write(b []byte) (int, error) {
	w.t.Print(term.Clean(strings.TrimRight(string(b), "\n"))) // in English, as it is for who mends relay
	return len(b), nil
}
