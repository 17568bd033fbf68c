package cli

// nearest returns the name that was probably meant, "" if none is like it: it may have
// a third of its letters wrong.
func nearest(name string, names []string) string {
	best, at := len(name)+1, ""
	for _, n := range names {
		if d := distance(name, n); d < best && d <= len(n)/3 {
			best, at = d, n
		}
	}
	return at
}

// distance is the number of letters to add, drop or change between two words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal, row[j+1] = row[j+1], min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
