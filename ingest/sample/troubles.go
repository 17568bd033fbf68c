package sample

import "relay/ingest/convert"

// Once returns what has told hear once of each trouble; told may be nil.
func Once(told func(what convert.Trouble, which string)) func(convert.Trouble, string) {
	said := make(map[convert.Trouble]bool)
	return func(what convert.Trouble, which string) {
		if told != nil && !said[what] {
			said[what] = true
			told(what, which)
		}
	}
}

// Troubles of files, besides those of [convert.Converter].
const (
	// Damaged are parts of a file that cannot be read; it goes on behind them.
	Damaged convert.Trouble = "damaged"
	// Turned is a picture that is to be shown turned, which tags do not say.
	Turned convert.Trouble = "turned"
	// Cut is a list of edits of which only the first and the end can be kept.
	Cut convert.Trouble = "cut"
)
