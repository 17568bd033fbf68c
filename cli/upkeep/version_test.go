package upkeep

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestVersionNamesWhatItWasBuiltFrom(t *testing.T) {
	machine := runtime.GOOS + "/" + runtime.GOARCH
	for _, c := range []struct {
		settings []debug.BuildSetting
		want     string
	}{
		{nil, "relay 1.2.3 (go1.99, " + machine + ")"},
		{
			[]debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: "false"}},
			"relay 1.2.3 commit 0123456789ab (go1.99, " + machine + ")",
		},
		{
			[]debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: "true"}},
			"relay 1.2.3 commit 0123456789ab with changes (go1.99, " + machine + ")",
		},
	} {
		if got := versionOf("1.2.3", &debug.BuildInfo{GoVersion: "go1.99", Settings: c.settings}); got != c.want {
			t.Errorf("%v: got %q, want %q", c.settings, got, c.want)
		}
	}
}
