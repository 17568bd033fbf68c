package flag

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/term"
)

const (
	// maxRate is the highest rate that a person can mean: 1 Tb/s.
	maxRate = 1e12
	// leastBare is the lowest rate that a person can mean by a number alone: no stream is of less than
	// 1 kb/s, and whoever writes 20 means Mb/s, or perhaps kb/s.
	leastBare = 1000
)

// Upload returns the value of --upload in bit/s, 0 if there is none.
func Upload(c *cli.Context) (int, error) { return rateOf(c, "upload") }

// rateOf reads the flag of that name. Where a number lacks its unit, it asks whoever sits there.
func rateOf(c *cli.Context, name string) (int, error) {
	if !c.IsSet(name) {
		return 0, nil
	}
	value := strings.TrimSpace(c.String(name))
	if lacksUnit(value) {
		var err error
		if value, err = withUnit(c, name, value); err != nil {
			return 0, err
		}
	}
	bps, err := parseRate(value)
	if err != nil {
		return 0, fault.Usage("", "--%s %w", name, err)
	}
	return bps, nil
}

// lacksUnit reports whether a rate is a number that nobody can mean in bits per second.
func lacksUnit(s string) bool {
	v, err := strconv.ParseFloat(s, 64)
	return err == nil && v > 0 && v < leastBare
}

// withUnit returns the rate with the unit that was meant.
func withUnit(c *cli.Context, name, value string) (string, error) {
	t := term.New(c.App.Writer, c.App.ErrWriter)
	for term.IsKeyboard(c.App.Reader) && t.ErrTTY {
		said, err := t.AskLine(c.Context, c.App.Reader, t.Lang.In(fmt.Sprintf("--%s %s: Mb/s or kb/s? [M/k]", name, value))+" ")
		if c.Context.Err() != nil {
			return "", fault.ErrInterrupted
		}
		if err != nil {
			break
		}
		if meant, ok := unitSaid(value, said); ok {
			return meant, nil
		}
		t.Say("Type M for Mb/s, or k for kb/s.")
	}
	return "", fault.Usage(fmt.Sprintf("%sM is megabits per second, as lines are sold; %sk is kilobits", value, value), "--%s %s has no unit: is that %sM or %sk?", name, value, value, value)
}

// unitSaid returns the rate that an answer means: a unit, or the rate with one.
func unitSaid(value, said string) (meant string, ok bool) {
	for _, meant := range []string{said, value + said} {
		if _, err := parseRate(meant); err == nil && !lacksUnit(meant) && strings.ContainsAny(meant, "kKmMgG") {
			return meant, true
		}
	}
	return "", false
}

// parseRate reads bits per second: "20M", "800k", "1.5G" or a plain number. The prefixes are
// decimal, as providers use them.
func parseRate(s string) (int, error) {
	num := strings.TrimSpace(s)
	for _, bits := range []string{"/s", "bps", "bit", "b"} {
		num = strings.TrimSuffix(num, bits)
	}
	v, err := prefixed(num, "kmg", 1000)
	if err != nil || !(v >= 1 && v <= maxRate) {
		if bits, ok := ofBytes(s); ok {
			return 0, fmt.Errorf("%q is in bytes: in bits per second, as in 20M, 800k or 1.5G, that is %s", s, bits)
		}
		return 0, fmt.Errorf("%q is no bit rate: write bits per second, as in 20M, 800k or 1.5G", s)
	}
	return int(v), nil
}

// ofBytes returns a rate in bytes as one in bits.
func ofBytes(s string) (bits string, ok bool) {
	num, ok := strings.CutSuffix(strings.TrimSuffix(strings.TrimSpace(s), "/s"), "B")
	if !ok || num == "" || !strings.ContainsAny(num[len(num)-1:], "kKmMgG") {
		return "", false
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(num[:len(num)-1]), 64)
	if err != nil || !(v > 0) || v > maxRate {
		return "", false
	}
	return strconv.FormatFloat(8*v, 'f', -1, 64) + num[len(num)-1:], true
}
