package term

import "testing"

func TestRateText(t *testing.T) {
	for in, want := range map[int]string{
		0:             "0 b/s",
		999:           "999 b/s",
		1_000:         "1 kb/s",
		64_400:        "64 kb/s",
		2_540_000:     "2.5 Mb/s",
		1_500_000_000: "1.5 Gb/s",
	} {
		if got := RateText(in); got != want {
			t.Errorf("rateText(%d) = %q, want %q", in, got, want)
		}
	}
}

func TestTimesAreReadable(t *testing.T) {
	for s, want := range map[int64]string{0: "0s", 59: "59s", 60: "1m00s", 3599: "59m59s", 3600: "1h00m", 86399: "23h59m", 86400: "1d00h", 1e6: "11d13h"} {
		if got := UptimeText(s); got != want {
			t.Errorf("%d s: %s, want %s", s, got, want)
		}
	}
}
