package membership

import (
	"io"
	"strings"
)

// printable passes lines on without what would move a terminal's cursor or begin a
// line of its own: memberlist logs names as they come.
type printable struct{ to io.Writer }

func (p printable) Write(b []byte) (int, error) {
	if _, err := io.WriteString(p.to, oneLine(strings.TrimSuffix(string(b), "\n"))); err != nil {
		return 0, err
	}
	return len(b), nil
}

// oneLine makes text from the network fit for a log.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '·'
		}
		return r
	}, s)
}
