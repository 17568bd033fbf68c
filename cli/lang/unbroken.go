package lang

import "strings"

// Unbroken puts the lines of a text together again that were broken by hand where they were written: a line for each paragraph,
// and for each of those that stand apart since they begin with blanks. One that begins with many goes on in what is to the right in the line
// before.
func Unbroken(text string) []string {
	const many = "        "
	var all []string
	before := ""
	for line := range strings.SplitSeq(text, "\n") {
		flows := before != "" && line != "" && before[0] != ' ' && line[0] != ' '
		if flows || before != "" && strings.HasPrefix(line, many) {
			all[len(all)-1] += " " + strings.TrimLeft(line, " ")
		} else {
			all = append(all, line)
			before = line
		}
	}
	return all
}
