package flag

import (
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
)

const (
	// waitDefault and waitMost are how long others are asked about followed channels.
	waitDefault = 5 * time.Second
	waitMost    = time.Minute
)

// Wait reads --wait.
func Wait(c *cli.Context) (time.Duration, error) {
	s := c.String("wait")
	if s == "" {
		return waitDefault, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > waitMost {
		return 0, fault.Usage("as in --wait 2s", "--wait %q is no time from 0s to 1m", s)
	}
	return d, nil
}
