package term

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// AskHidden asks a question, and reads a line from the keyboard without showing it. If ctx ends
// first, the keyboard is as it was.
func (t *Terminal) AskHidden(ctx context.Context, in io.Reader, question string) (string, error) {
	f, ok := in.(*os.File)
	if !ok {
		return "", errors.New("there is no keyboard")
	}
	was, err := term.GetState(int(f.Fd()))
	if err != nil {
		return "", err
	}
	type answer struct {
		line []byte
		err  error
	}
	answered := make(chan answer, 1)
	fmt.Fprint(t.Err, t.Lang.In(question))
	go func() { // ends with the line, or with the process: nothing else ends a read of a terminal
		line, err := term.ReadPassword(int(f.Fd()))
		answered <- answer{line, err}
	}()
	defer fmt.Fprintln(t.Err)
	select {
	case a := <-answered:
		return string(a.line), a.err
	case <-ctx.Done():
		return "", errors.Join(ctx.Err(), term.Restore(int(f.Fd()), was))
	}
}
