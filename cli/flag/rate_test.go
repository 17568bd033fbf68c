package flag

import (
	"strings"
	"testing"
)

func TestParseRate(t *testing.T) {
	for in, want := range map[string]int{
		"1":        1,
		"64000":    64_000,
		"800k":     800_000,
		"800K":     800_000,
		"20M":      20_000_000,
		"20m":      20_000_000,
		"1.5G":     1_500_000_000,
		"1e6":      1_000_000,
		" 20M ":    20_000_000,
		"20 M":     20_000_000,
		"20Mb":     20_000_000,
		"20Mbit":   20_000_000,
		"20Mb/s":   20_000_000,
		"20Mbit/s": 20_000_000,
		"20Mbps":   20_000_000,
		"1000G":    1_000_000_000_000,
		"0.001k":   1,
	} {
		if got, err := parseRate(in); err != nil || got != want {
			t.Errorf("parseRate(%q) = %d, %v, want %d", in, got, err, want)
		}
	}
}

func TestParseRateRefuses(t *testing.T) {
	for _, in := range []string{
		"", " ", "M", "b", "/s", "fast", "0", "0M", "-1", "-20M", "0.5", "1001G", "1e300", "Inf", "+Inf", "NaN",
		"20T", "20MB", "20MM", "20M,", "2 0",
	} {
		got, err := parseRate(in)
		if err == nil {
			t.Errorf("parseRate(%q) = %d, want an error", in, got)
		} else if !strings.Contains(err.Error(), "as in 20M, 800k or 1.5G") {
			t.Errorf("parseRate(%q): error %q shows no right one", in, err)
		}
	}
}

func TestARateInBytesIsSaidInBits(t *testing.T) {
	for in, want := range map[string]string{"2.5MB": "20M", "20MB/s": "160M", " 100 kB": "800k"} {
		if _, err := parseRate(in); err == nil || !strings.HasSuffix(err.Error(), "that is "+want) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestANumberBelowOneKilobitLacksItsUnit(t *testing.T) {
	for in, want := range map[string]bool{"20": true, "999": true, "0.5": true, "1.5": true, "1000": false, "64000": false, "20M": false, "20b": false, "0": false, "-1": false, "x": false} {
		if got := lacksUnit(in); got != want {
			t.Errorf("%q: %t", in, got)
		}
	}
	for said, want := range map[string]string{
		"M": "20M", "m": "20m", "k": "20k", "Mb/s": "20Mb/s", "20k": "20k", "20 M": "20 M", "5M": "5M",
		"": "", "20": "", "y": "", "20000": "",
	} {
		if got, ok := unitSaid("20", said); got != want || ok != (want != "") {
			t.Errorf("%q: %q", said, got)
		}
	}
}
