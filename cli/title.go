package cli

import (
	"unicode/utf8"

	"relay/cli/fault"
	"relay/ingest/flv"
)

// titleOf reads --title. It rejects a title that would not be shown as it was written.
func titleOf(value string) (string, error) {
	if n := utf8.RuneCountInString(value); n > flv.MaxTitle {
		return "", fault.Usage("it is one line, such as \"Finals, table 3\"", "--title has %d characters, the most is %d", n, flv.MaxTitle)
	}
	title := flv.CleanTitle(value)
	if value != "" && title == "" {
		return "", fault.Usage("it is one line, such as \"Finals, table 3\"", "--title has no character that can be shown")
	}
	return title, nil
}
