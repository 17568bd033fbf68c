package words

import (
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const (
	// quietFor is how long after a line of the log no other of its kind is written.
	quietFor = time.Second
	// maxKinds bounds how many kinds of lines are told apart. Those that come then are one.
	maxKinds = 256
	// maxKind is how much of a message tells its kind, in bytes.
	maxKind = 60
	// againField counts the lines that one stands for besides itself.
	againField = "again"
)

// quiet passes on one line a second of each kind: strangers can provoke most of them as often as they
// like. The last of those that come within the second is written at its end, with the field "again":
// how many there were besides the one before.
type quiet struct {
	zapcore.Core
	state *quietState
}

type quietState struct {
	mu    sync.Mutex
	kinds map[kindOfLine]*lines
}

// kindOfLine is what lines of one kind have in common: those written by libraries have addresses in
// their text, and nothing behind the first digit or quote counts.
type kindOfLine struct {
	level zapcore.Level
	text  string
}

// lines is what came of one kind since one was written.
type lines struct {
	again int
	write func(again int) // the last one; nil if there was none
}

func newQuiet(core zapcore.Core) *quiet {
	return &quiet{Core: core, state: &quietState{kinds: make(map[kindOfLine]*lines)}}
}

// With implements [zapcore.Core]. What is added belongs to lines, and makes no other kind of them.
func (q *quiet) With(fields []zapcore.Field) zapcore.Core {
	return &quiet{Core: q.Core.With(fields), state: q.state}
}

// Check implements [zapcore.Core].
func (q *quiet) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if q.Enabled(e.Level) {
		return ce.AddCore(e, q)
	}
	return ce
}

// Write implements [zapcore.Core].
func (q *quiet) Write(e zapcore.Entry, fields []zapcore.Field) error {
	s := q.state
	s.mu.Lock()
	kind := kindOf(e)
	if _, ok := s.kinds[kind]; !ok && len(s.kinds) >= maxKinds {
		kind = kindOfLine{level: e.Level}
	}
	l, ok := s.kinds[kind]
	if ok {
		l.again++
		l.write = func(again int) {
			q.Core.Write(e, append(fields[:len(fields):len(fields)], zap.Int(againField, again)))
		}
		s.mu.Unlock()
		return nil
	}
	s.kinds[kind] = &lines{}
	s.mu.Unlock()
	time.AfterFunc(quietFor, func() { s.over(kind) }) // ends once nothing of the kind has come for that long
	return q.Core.Write(e, fields)
}

// over writes the last line of those that have come while there was to be none.
func (s *quietState) over(kind kindOfLine) {
	s.mu.Lock()
	l := s.kinds[kind]
	write, again := l.write, l.again
	if again == 0 {
		delete(s.kinds, kind)
	} else {
		*l = lines{}
		time.AfterFunc(quietFor, func() { s.over(kind) })
	}
	s.mu.Unlock()
	if write != nil {
		write(again)
	}
}

// Sync implements [zapcore.Core]: it writes what waits.
func (q *quiet) Sync() error {
	s := q.state
	s.mu.Lock()
	var waiting []func()
	for _, l := range s.kinds {
		if write, again := l.write, l.again; write != nil {
			waiting = append(waiting, func() { write(again) })
		}
		*l = lines{}
	}
	s.mu.Unlock()
	for _, write := range waiting {
		write()
	}
	return q.Core.Sync()
}

func kindOf(e zapcore.Entry) kindOfLine {
	text := e.Message[:min(len(e.Message), maxKind)]
	if i := strings.IndexAny(text, `0123456789"'`); i > 0 {
		text = text[:i]
	}
	return kindOfLine{e.Level, text}
}
