package term

import "strings"

// Column says how a column of a [Table] is drawn.
type Column struct {
	Least int  // columns of the terminal that it has at least
	Right bool // its cells end below each other, and do not begin so
}

// Table lines up the cells of rows in columns, two blanks apart, each as wide as its widest cell. The last one is not
// filled up.
func Table(of []Column, rows [][]string) []string {
	widths := make([]int, len(of))
	for i, c := range of {
		widths[i] = c.Least
		for _, r := range rows {
			widths[i] = max(widths[i], columns(r[i]))
		}
	}
	var lines []string
	for _, r := range rows {
		var b strings.Builder
		for i, cell := range r {
			pad := strings.Repeat(" ", widths[i]-columns(cell))
			switch {
			case of[i].Right:
				b.WriteString(pad + cell)
			case i == len(r)-1:
				b.WriteString(cell)
			default:
				b.WriteString(cell + pad)
			}
			if i < len(r)-1 {
				b.WriteString("  ")
			}
		}
		lines = append(lines, b.String())
	}
	return lines
}
