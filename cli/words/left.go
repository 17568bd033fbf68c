package words

import (
	"strings"

	"relay/cli/term"
)

// leftWhy says in words what nodes did that were left for it, by the API's reason.
var leftWhy = []struct{ reason, text string }{
	{"forged", "forged data"},
	{"protocol", "broken protocol"},
	{"slow", "starving"},
	{"lied", "a false place in the tree"},
}

// leftText says how many nodes were left because of what they did, and what that was; "" for none.
func leftText(left map[string]uint64) string {
	n, why := 0, []string(nil)
	for _, w := range leftWhy {
		if k := left[w.reason]; k > 0 {
			n += int(k)
			why = append(why, w.text)
		}
	}
	if n == 0 {
		return ""
	}
	return "left " + term.Plural(n, "peer", "peers") + ": " + strings.Join(why, ", ")
}
