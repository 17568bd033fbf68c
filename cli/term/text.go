package term

import (
	"fmt"
	"strings"
)

// RateText writes a bit rate, in bit/s, for people.
func RateText(bps int) string {
	switch {
	case bps >= 1e9:
		return fmt.Sprintf("%.1f Gb/s", float64(bps)/1e9)
	case bps >= 1e6:
		return fmt.Sprintf("%.1f Mb/s", float64(bps)/1e6)
	case bps >= 1e3:
		return fmt.Sprintf("%.0f kb/s", float64(bps)/1e3)
	}
	return fmt.Sprintf("%d b/s", bps)
}

// DelayText writes a delay, in milliseconds, for people.
func DelayText(ms int64) string {
	if ms < 1000 {
		return fmt.Sprintf("%d ms", ms)
	}
	return fmt.Sprintf("%.1f s", float64(ms)/1000)
}

// UptimeText writes an uptime, in seconds, for people, in its two largest units.
func UptimeText(s int64) string {
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	}
	return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
}

// Counted writes a number of things whose plural ends in s.
func Counted(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Plural writes a number of things.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Spelt joins things as people do: "a, b and c".
func Spelt(all []string) string {
	if n := len(all); n > 1 {
		return strings.Join(all[:n-1], ", ") + " and " + all[n-1]
	}
	return strings.Join(all, "")
}

// SpeltOr joins two or more alternatives: "a, b or c".
func SpeltOr(all []string) string {
	return strings.Join(all[:len(all)-1], ", ") + " or " + all[len(all)-1]
}

// Links writes a number of links between nodes.
func Links(n int) string { return Plural(n, "link", "links") }
