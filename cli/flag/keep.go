package flag

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/relay/archive"
)

const (
	// leastKept and mostKept bound the time of --keep, and leastKeptBytes its size.
	leastKept      = time.Minute
	mostKept       = 366 * 24 * time.Hour
	leastKeptBytes = 10_000_000
)

// Keep returns --keep.
func Keep() cli.Flag {
	return Text("keep", "keep the last `TIME` of the channel on disk, for who comes late: 2h, or 2h,8GB for at most so much (default size 32GB)")
}

// Kept returns the value of --keep, nil if there is none.
func Kept(c *cli.Context) (*archive.Limits, error) {
	if !c.IsSet("keep") {
		return nil, nil
	}
	how, size, sized := strings.Cut(c.String("keep"), ",")
	var l archive.Limits
	var err error
	if l.Age, err = keptTime(strings.TrimSpace(how)); err != nil || l.Age < leastKept || l.Age > mostKept {
		return nil, fault.Usage("write it as 30m, 2h or 1d, or 2h,8GB with the most that it may take", "--keep %q is no time from a minute to a year", how)
	}
	if sized {
		if l.Bytes, err = sizeOf(size); err != nil || l.Bytes < leastKeptBytes {
			return nil, fault.Usage("write it as 2h,8GB; an hour of 6 Mb/s takes 2.7GB", "--keep: %q is no size of 10MB or more", size)
		}
	}
	return &l, nil
}

// keptTime reads a time, also in days.
func keptTime(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || !(n <= mostKept.Hours()/24) {
			return 0, strconv.ErrSyntax
		}
		return time.Duration(n * 24 * float64(time.Hour)), nil
	}
	return time.ParseDuration(s)
}

// sizeOf reads a number of bytes: "8GB", "500M", with decimal prefixes, or binary ones as in "8GiB".
func sizeOf(s string) (int64, error) {
	num, kilo := strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(s)), "B"), 1000.0
	if n, ok := strings.CutSuffix(num, "I"); ok {
		num, kilo = n, 1024
	}
	v, err := prefixed(num, "kmgt", kilo)
	if err != nil || !(v > 0 && v < 1<<53) {
		return 0, strconv.ErrSyntax
	}
	return int64(v), nil
}

// prefixed reads a number that may have one of the prefixes behind it, the first of which is worth kilo, and each other
// that many times the one before.
func prefixed(s, prefixes string, kilo float64) (float64, error) {
	s = strings.TrimSpace(s)
	worth := 1.0
	if n := len(s) - 1; n >= 0 {
		if i := strings.IndexByte(prefixes, s[n]|0x20); i >= 0 { // in lower case
			s, worth = s[:n], math.Pow(kilo, float64(i+1))
		}
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return v * worth, err
}
