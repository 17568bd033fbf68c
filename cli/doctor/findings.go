package doctor

import (
	"fmt"

	"relay/cli/term"
)

// Level says what a finding asks for.
type Level string

// Levels of findings.
const (
	Fine Level = "ok"   // nothing to do
	Note Level = "note" // good to know
	Todo Level = "todo" // something needs doing
)

// Finding is one thing that relay doctor says: whole sentences.
type Finding struct {
	Topic string `json:"topic"`
	Level Level  `json:"level"`
	Text  string `json:"text"`
	Next  string `json:"next"` // what to do; "" if there is nothing
}

// findings collects what there is to say of one topic: fine, note and todo with a text,
// and what to do next.
type findings struct {
	topic string
	all   []Finding
}

func (f *findings) fine(format string, args ...any) { f.add(Fine, "", format, args...) }

func (f *findings) note(next, format string, args ...any) { f.add(Note, next, format, args...) }

func (f *findings) todo(next, format string, args ...any) { f.add(Todo, next, format, args...) }

// add cleans the texts, in which there may be strangers' words.
func (f *findings) add(l Level, next, format string, args ...any) {
	f.all = append(f.all, Finding{f.topic, l, term.Clean(fmt.Sprintf(format, args...)), term.Clean(next)})
}
