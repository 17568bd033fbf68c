package update

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// version is one as in semver.org: three numbers, and for what comes before a release, what it is called.
type version struct {
	numbers [3]int
	before  []string
}

var written = regexp.MustCompile(`^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:-([0-9A-Za-z.-]{1,40}))?$`)

// parse reads a version, perhaps with a v before it.
func parse(text string) (v version, ok bool) {
	m := written.FindStringSubmatch(text)
	if m == nil {
		return v, false
	}
	for i := range v.numbers {
		v.numbers[i], _ = strconv.Atoi(m[1+i]) // digits, and few
	}
	if m[4] != "" {
		v.before = strings.Split(m[4], ".")
	}
	return v, true
}

// compare is negative if a comes before b.
func compare(a, b version) int {
	if c := slices.Compare(a.numbers[:], b.numbers[:]); c != 0 {
		return c
	}
	if len(a.before) == 0 || len(b.before) == 0 { // what has a name comes before the release itself
		return cmp.Compare(len(b.before), len(a.before))
	}
	return slices.CompareFunc(a.before, b.before, func(x, y string) int {
		n, errX := strconv.Atoi(x)
		m, errY := strconv.Atoi(y)
		switch {
		case errX == nil && errY == nil:
			return cmp.Compare(n, m)
		case errX == nil:
			return -1
		case errY == nil:
			return 1
		}
		return strings.Compare(x, y)
	})
}

// Newer says how a release compares with this program: 1 if it is newer, 0 if it is the same, -1 if it is
// older.
func Newer(release, own string) int {
	a, _ := parse(release)
	b, _ := parse(own)
	return compare(a, b)
}
