package doctor

import (
	"fmt"

	"relay/cli/term"
)

// Level says whether a finding needs a person to act.
type Level string

// These are the levels of findings.
const (
	Fine Level = "ok"   // nothing to do
	Note Level = "note" // good to know
	Todo Level = "todo" // something needs doing
)

// Finding is one thing that relay doctor says, in whole sentences.
type Finding struct {
	Topic string `json:"topic"`
	Level Level  `json:"level"`
	Text  string `json:"text"`
	Next  string `json:"next"` // what to do; "" if there is nothing
}

// findings collects the findings of one topic. Its methods fine, note and todo take a text; the
// last two also take what to do next.
type findings struct {
	topic string
	all   []Finding
}

func (f *findings) fine(format string, args ...any) { f.add(Fine, "", format, args...) }

func (f *findings) note(next, format string, args ...any) { f.add(Note, next, format, args...) }

func (f *findings) todo(next, format string, args ...any) { f.add(Todo, next, format, args...) }

// add cleans the texts, because they may contain strangers' words.
func (f *findings) add(l Level, next, format string, args ...any) {
	f.all = append(f.all, Finding{f.topic, l, term.Clean(fmt.Sprintf(format, args...)), term.Clean(next)})
}
