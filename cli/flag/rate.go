package flag

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
)

// maxRate is the highest rate that a person can mean: 1 Tb/s.
const maxRate = 1e12

// Upload returns the value of --upload in bit/s, 0 if there is none.
func Upload(c *cli.Context) (int, error) { return rateOf(c, "upload") }

// rateOf reads the flag of that name.
func rateOf(c *cli.Context, name string) (int, error) {
	if !c.IsSet(name) {
		return 0, nil
	}
	bps, err := parseRate(c.String(name))
	if err != nil {
		return 0, fault.Usage("", "--%s %w", name, err)
	}
	return bps, nil
}

// parseRate reads bits per second: "20M", "800k", "1.5G" or a plain number. The prefixes are
// decimal, as providers use them.
func parseRate(s string) (int, error) {
	num, mult := strings.TrimSpace(s), 1.0
	num = strings.TrimSuffix(strings.TrimSuffix(num, "/s"), "bit")
	num = strings.TrimSuffix(num, "b")
	if n := len(num); n > 0 {
		switch num[n-1] {
		case 'k', 'K':
			mult, num = 1e3, num[:n-1]
		case 'm', 'M':
			mult, num = 1e6, num[:n-1]
		case 'g', 'G':
			mult, num = 1e9, num[:n-1]
		}
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
	if err != nil || !(v > 0) || v*mult > maxRate || v*mult < 1 {
		return 0, fmt.Errorf("%q is no bit rate: write bits per second, as in 20M, 800k or 1.5G", s)
	}
	return int(v * mult), nil
}
