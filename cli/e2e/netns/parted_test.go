//go:build e2e && linux

package netns

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// part keeps some of the Internet's lines and some others from reaching each other, until heal. Each
// is named by a host on it.
func (n *internet) part(t *testing.T, some, others []*host) {
	t.Helper()
	lines := func(hs []*host) (all []int) {
		for _, h := range hs {
			all = append(all, h.line)
		}
		return all
	}
	n.partLines(t, lines(some), lines(others))
}

// cutOff keeps some of the Internet's lines from reaching any other, until heal.
func (n *internet) cutOff(t *testing.T, some []*host) {
	t.Helper()
	var off, rest []int
	for line := 1; line <= n.lines; line++ {
		if slices.ContainsFunc(some, func(h *host) bool { return h.line == line }) {
			off = append(off, line)
		} else {
			rest = append(rest, line)
		}
	}
	n.partLines(t, off, rest)
}

func (n *internet) partLines(t *testing.T, some, others []int) {
	t.Helper()
	set := func(lines []int, format string) string {
		var all []string
		for _, l := range lines {
			all = append(all, fmt.Sprintf(format, l))
		}
		return "{ " + strings.Join(all, ", ") + " }"
	}
	var rules strings.Builder
	for family, format := range map[string]string{"ip": "198.51.100.%d", "ip6": "2001:db8:%x::/48"} {
		a, b := set(some, format), set(others, format)
		fmt.Fprintf(&rules, "%[1]s saddr %[2]s %[1]s daddr %[3]s counter name there drop\n%[1]s saddr %[3]s %[1]s daddr %[2]s counter name back drop\n", family, a, b)
	}
	must(t, n.core.run("table inet parted {\ncounter there { }\ncounter back { }\nchain forward {\ntype filter hook forward priority -1;\n"+rules.String()+"}\n}\n", "nft", "-f", "-"))
}

// forgetTried has triedBack count from here on.
func (n *internet) forgetTried(t *testing.T) {
	t.Helper()
	must(t, n.core.run("", "nft", "reset", "counters", "table", "inet", "parted"))
}

// triedBack returns nil if one of the others has sent something to one of some.
func (n *internet) triedBack() error {
	return n.core.run("", "sh", "-c", "nft list counter inet parted back | grep 'packets [1-9]'")
}

func (n *internet) heal(t *testing.T) {
	t.Helper()
	must(t, n.core.run("delete table inet parted\n", "nft", "-f", "-"))
}
