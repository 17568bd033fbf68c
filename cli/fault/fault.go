// Package fault defines how a command fails: an error says what happened, what to do next, and
// with which code the process exits.
package fault

import (
	"errors"
	"fmt"

	"relay/cli/term"
)

// Exit codes.
const (
	ExitOK        = 0
	ExitRuntime   = 1
	ExitUsage     = 2
	ExitNobody    = 3 // no relay answers, or the channel does not exist
	ExitRefused   = 4 // the nodes that answer turn this node down
	ExitPort      = 5 // a port that was asked for is taken
	ExitReplaced  = 6 // another source has the channel's key
	ExitStolen    = 7 // the channel's key is used by two
	ExitInterrupt = 130
)

// ExitCodes explains the exit codes.
var ExitCodes = []struct {
	Code  int
	About string
}{
	{ExitOK, "All went well, or SIGTERM ended the command."},
	{ExitRuntime, "Something failed while the command ran; relay doctor found something to do."},
	{ExitUsage, "The command line, a variable, config.toml or a link is wrong."},
	{ExitNobody, "Nobody answers, or what was asked for is not there."},
	{ExitRefused, "All who answer turn this node down."},
	{ExitPort, "A port that was asked for is taken."},
	{ExitReplaced, "Another source has this channel's key, and goes on in its place."},
	{ExitStolen, "The channel's key is in two hands; nobody can tell which stream is meant."},
	{ExitInterrupt, "Ctrl-C ended the command."},
}

// Error is an error for a person: what happened, what to do next, and the exit code.
type Error struct {
	Err  error
	Hint string // "" if there is nothing to do
	Code int
	told bool // it has been printed
}

func (f *Error) Error() string { return f.Err.Error() }
func (f *Error) Unwrap() error { return f.Err }

func Fail(hint, format string, args ...any) error {
	return &Error{Err: fmt.Errorf(format, args...), Hint: hint, Code: ExitRuntime}
}

func Usage(hint, format string, args ...any) error {
	return &Error{Err: fmt.Errorf(format, args...), Hint: hint, Code: ExitUsage}
}

// Nobody reports whether an error says that what was looked for is not there.
func Nobody(err error) bool {
	f, ok := errors.AsType[*Error](err)
	return ok && f.Code == ExitNobody
}

// ErrInterrupted ends a command that Ctrl-C, or a key in its place, has interrupted.
var ErrInterrupted = errors.New("interrupted")

// Report prints an error and returns the exit code.
func Report(t *term.Terminal, err error) int {
	t.End()
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, ErrInterrupted):
		return ExitInterrupt
	}
	var f *Error
	if !errors.As(err, &f) {
		say(t, err, "")
		return ExitRuntime
	}
	if !f.told {
		say(t, err, f.Hint)
	}
	return f.Code
}

// Said is an error that has been printed where it came up, with the exit code of what failed.
func Said(code int) error {
	return &Error{Err: errors.New("it was said before"), Code: code, told: true}
}

// Tell prints an [Error] at once and returns it, for a command that takes seconds to end: Report will
// not print it again. It returns every other error, and nil, as it is.
func Tell(t *term.Terminal, err error) error {
	var f *Error
	if errors.As(err, &f) && !f.told {
		f.told = true
		say(t, err, f.Hint)
	}
	return err
}

func say(t *term.Terminal, err error, hint string) {
	t.Say("relay: error: %s", Plain(err))
	SayRaw(t, err)
	if hint != "" {
		t.Hint("%s", hint)
	}
}

// SayRaw prints what an error says by itself, if that is not what [Plain] says, and --verbose is given.
func SayRaw(t *term.Terminal, err error) {
	if text, other := Raw(err); other && t.Verbose {
		t.Say("relay: raw error: %s", text)
	}
}
