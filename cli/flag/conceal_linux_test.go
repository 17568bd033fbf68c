package flag

import (
	"slices"
	"strings"
	"testing"
)

func TestConcealBlotsSecretsAlone(t *testing.T) {
	for given, shown := range map[string]string{
		"relay watch relay://id@host:1#secret --player mpv": "relay watch relay://id@host:1#****** --player mpv",
		"relay watch id#a#b":                               "relay watch id#***",
		"relay source --key abc --title x":                 "relay source --key *** --title x",
		"relay source -key abc --title x":                  "relay source -key *** --title x",
		"relay source --key=abc":                           "relay source --key=***",
		"relay source --key @file --token=@file":           "relay source --key @file --token=@file",
		"relay source --via host/id?token=abc --token def": "relay source --via host/id?token=*** --token ***",
		"relay source --via=host/id?x=1&token=abc":         "relay source --via=host/id?x=1&token=***",
		"relay source rtsp://admin:a:b@cam/s?x=1@2":        "relay source rtsp://admin:***@cam/s?x=1@2",
		"relay source rtsp://cam:554/s":                    "relay source rtsp://cam:554/s",
		"relay source --key":                               "relay source --key",
		"relay key import file":                            "relay key import file",
		"relay watch --keyword=x":                          "relay watch --keyword=x",
	} {
		args := strings.Fields(given)
		for i, a := range args {
			args[i] = strings.Clone(a) // as it is written to
		}
		want := strings.Fields(given)
		if kept := Conceal(args); !slices.Equal(kept, want) {
			t.Errorf("%s: it is left with %q", given, kept)
		}
		if got := strings.Join(args, " "); got != shown {
			t.Errorf("%s: others see %q, want %q", given, got, shown)
		}
	}
}
