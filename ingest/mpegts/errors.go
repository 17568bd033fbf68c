package mpegts

import (
	"errors"
	"fmt"
	"strings"

	"relay/ingest/convert"
)

// ErrNoProgram says that nothing tells what the packets are of: there are no tables.
var ErrNoProgram = errors.New("the MPEG-TS has no table of programs")

// ErrLost says that what began as MPEG-TS goes on as something else.
var ErrLost = errors.New("the MPEG-TS ends in something else")

// ErrNothing says that a stream has ended without a frame that could be sent.
var ErrNothing = errors.New("the MPEG-TS has no picture to start at and no sound")

// ErrScrambled says that a stream is encrypted by whoever sends it.
var ErrScrambled = errors.New("the MPEG-TS is scrambled")

// CodecError refuses a stream whose pictures and sound cannot be carried.
type CodecError struct {
	Has []string // names, for people; none if it has neither pictures nor sound
}

func (e *CodecError) Error() string {
	if len(e.Has) == 0 {
		return "the MPEG-TS has neither video nor sound"
	}
	return "the MPEG-TS has " + strings.Join(e.Has, " and ") + ", which cannot be carried"
}

func (e *CodecError) Unwrap() error { return convert.ErrNotCarried }

// ProgramError says that a stream does not have the program that was asked for.
type ProgramError struct {
	Asked int
	Has   []int
}

func (e *ProgramError) Error() string {
	has := make([]string, len(e.Has))
	for i, n := range e.Has {
		has[i] = fmt.Sprint(n)
	}
	return fmt.Sprintf("the MPEG-TS has no program %d, but %s", e.Asked, strings.Join(has, ", "))
}
