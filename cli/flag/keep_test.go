package flag

import (
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"relay/relay/archive"
)

func TestKeep(t *testing.T) {
	for in, want := range map[string]*archive.Limits{
		"2h":        {Age: 2 * time.Hour},
		"30m":       {Age: 30 * time.Minute},
		"1.5d":      {Age: 36 * time.Hour},
		"2h,8GB":    {Age: 2 * time.Hour, Bytes: 8_000_000_000},
		"2h, 8 gb":  {Age: 2 * time.Hour, Bytes: 8_000_000_000},
		"90m,1GiB":  {Age: 90 * time.Minute, Bytes: 1 << 30},
		"1h,500M":   {Age: time.Hour, Bytes: 500_000_000},
		"":          nil,
		"2":         nil,
		"2 hours":   nil,
		"-2h":       nil,
		"30s":       nil,
		"400d":      nil,
		"NaNd":      nil,
		"1e300d":    nil,
		"8GB":       nil,
		"2h,":       nil,
		"2h,8":      nil,
		"2h,-8GB":   nil,
		"2h,NaN":    nil,
		"2h,1e30TB": nil,
		"2h,8GB,1":  nil,
	} {
		var got *archive.Limits
		var err error
		app := &cli.App{Name: "x", Flags: []cli.Flag{Keep()}, Action: func(c *cli.Context) error {
			got, err = Kept(c)
			return nil
		}}
		if err := app.Run([]string{"x", "--keep=" + in}); err != nil {
			t.Fatal(err)
		}
		switch {
		case want == nil && err == nil:
			t.Errorf("--keep=%q is %v", in, *got)
		case want != nil && (err != nil || *got != *want):
			t.Errorf("--keep=%q: %v, %v; want %v", in, got, err, *want)
		}
	}
}
