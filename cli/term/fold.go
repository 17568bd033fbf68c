package term

import (
	"regexp"
	"strings"
)

// twoColumns finds the first of two columns, with the blanks behind it.
var twoColumns = regexp.MustCompile(`^ *\S.*?  +`)

// Label parts what stands in two columns. The label has the blanks behind it; it is "" if there is only one column.
func Label(line string) (label, text string) {
	label = twoColumns.FindString(line)
	return label, line[len(label):]
}

// leastText is how many columns are left for the second of two, or it stands below the first.
const leastText = 24

// Fold breaks one of our own lines where it is too wide for the terminal, as [WrapWords] does. What goes on in another line stands below
// its begin in the second of two columns, and otherwise further in than what other lines begin with. A line with a terminal's codes
// is drawn already, and stays.
func (st Style) Fold(line string) []string {
	if st.Width <= 0 || columns(line) <= st.Width || strings.Contains(line, "\x1b") {
		return []string{line}
	}
	var lines []string
	head, text := Label(line)
	in := len(line) - len(strings.TrimLeft(line, " "))
	hang := columns(head)
	switch {
	case head == "" || columns(strings.TrimRight(head, " ")) > st.Width:
		in = min(in, st.Width/2)
		head, text, hang = strings.Repeat(" ", in), line, in+2
		if strings.HasPrefix(strings.TrimLeft(line, " "), "(") {
			hang--
		}
	case st.Width-hang < leastText:
		lines = append(lines, strings.TrimRight(head, " "))
		hang = in + 4
		head = strings.Repeat(" ", hang)
	}
	wrapped := wrap(text, st.Width-columns(head), st.Width-hang)
	if len(wrapped) == 1 && len(lines) == 0 && columns(head+wrapped[0]) > st.Width { // nothing is to be gained
		return []string{line}
	}
	for _, l := range wrapped {
		lines = append(lines, head+l)
		head = strings.Repeat(" ", hang)
	}
	return lines
}

// folded are lines as they fit on standard error, also if that takes no codes.
func (t *Terminal) folded(lines ...string) []string {
	st, _ := styleOf(t.Err, t.ErrTTY || isTerminal(t.Err))
	var all []string
	for _, l := range lines {
		all = append(all, st.Fold(l)...)
	}
	return all
}

// said are lines in the person's language, as they fit on standard error.
func (t *Terminal) said(lines ...string) []string {
	var all []string
	for _, l := range lines {
		all = append(all, t.Lang.In(l))
	}
	return t.folded(all...)
}
