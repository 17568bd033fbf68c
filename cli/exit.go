package cli

import (
	"errors"
	"fmt"

	"relay/cli/term"
)

// Exit codes.
const (
	exitOK        = 0
	exitRuntime   = 1
	exitUsage     = 2
	exitNobody    = 3 // no relay answers, or there is no such channel
	exitRefused   = 4 // those that answer turn this node down
	exitPort      = 5 // a port that was asked for is taken
	exitInterrupt = 130
)

// exitCodes explains them.
var exitCodes = []struct {
	code  int
	about string
}{
	{exitOK, "All went well, or SIGTERM ended the command."},
	{exitRuntime, "Something failed while the command ran; relay doctor found something to do."},
	{exitUsage, "The command line, a variable or a link is wrong."},
	{exitNobody, "Nobody answers, or what was asked for is not there."},
	{exitRefused, "All who answer turn this node down."},
	{exitPort, "A port that was asked for is taken."},
	{exitInterrupt, "Ctrl-C ended the command."},
}

// failure is an error as a person meets it: what happened, what to do next, and
// the exit code.
type failure struct {
	err  error
	hint string // "" if there is nothing to do
	code int
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func fail(hint, format string, args ...any) error {
	return &failure{fmt.Errorf(format, args...), hint, exitRuntime}
}

func usage(hint, format string, args ...any) error {
	return &failure{fmt.Errorf(format, args...), hint, exitUsage}
}

// errInterrupted ends a command that was interrupted by a key.
var errInterrupted = errors.New("interrupted")

// report prints an error and returns the exit code.
func report(t *term.Terminal, err error) int {
	t.End()
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errInterrupted):
		return exitInterrupt
	}
	t.Say("relay: error: %v", err)
	var f *failure
	if !errors.As(err, &f) {
		return exitRuntime
	}
	if f.hint != "" {
		t.Hint("%s", f.hint)
	}
	return f.code
}
