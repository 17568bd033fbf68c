package term

import (
	"bufio"
	"context"
	"io"
	"strings"
)

// mostTyped bounds an answer, in bytes.
const mostTyped = 4096

// AskLine asks a question, and reads the line that a person types. It returns [io.EOF] if the input ends.
func (t *Terminal) AskLine(ctx context.Context, in io.Reader, question string) (string, error) {
	type answer struct {
		line string
		err  error
	}
	answered := make(chan answer, 1)
	t.Show(t.Lang.In(question))
	go func() { // ends with the line, or with the process: nothing else ends a read of a terminal
		line, err := bufio.NewReader(io.LimitReader(in, mostTyped)).ReadString('\n')
		answered <- answer{strings.TrimSpace(line), err}
	}()
	select {
	case a := <-answered:
		t.Typed()
		return a.line, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
