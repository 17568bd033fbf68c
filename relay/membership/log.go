package membership

import (
	"io"
	"strings"

	"relay/relay/oneline"
)

// printable passes lines on without characters that would move a terminal's cursor or begin
// another line: memberlist logs names as they come.
type printable struct{ to io.Writer }

func (p printable) Write(b []byte) (int, error) {
	if _, err := io.WriteString(p.to, oneLine(strings.TrimSuffix(string(b), "\n"))); err != nil {
		return 0, err
	}
	return len(b), nil
}

// maxLine bounds a line of the log, in characters.
const maxLine = 1000

// oneLine makes text from the network fit for a log.
func oneLine(s string) string { return oneline.Clean(s, maxLine) }
