package fault

import (
	"slices"
	"strings"
)

// maxTyped is the longest word, in bytes, for which relay guesses what was meant. No command or
// flag is as long.
const maxTyped = 40

// Nearest returns the name that somebody who typed word most likely meant, "" if no name is
// close enough. Up to a third of the characters may be wrong.
func Nearest(word string, names []string) string {
	if len(word) > maxTyped {
		return ""
	}
	best, least := "", len(word)/3+1
	for _, n := range names {
		if len(n) < 2 || len(word) < 2 {
			continue
		}
		if strings.HasPrefix(n, word) {
			return n
		}
		if d := typos(word, n); d < least {
			best, least = n, d
		}
	}
	return best
}

// typos counts the characters to add, drop, change or swap with the next one in order to turn a
// into b (optimal string alignment).
func typos(a, b string) int {
	// rows[i][j] is the count for the first i characters of a and j of b.
	var rows [][]int
	for i := range len(a) + 1 {
		rows = append(rows, make([]int, len(b)+1))
		for j := range len(b) + 1 {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
			default:
				rows[i][j] = 1 + slices.Min([]int{rows[i-1][j-1], rows[i-1][j], rows[i][j-1]})
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
