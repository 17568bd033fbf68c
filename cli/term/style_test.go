package term

import (
	"os"
	"strings"
	"testing"
)

func TestUTF8IsToldFromTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		env, goos string
		want      bool
	}{
		{"LANG=en_GB.UTF-8", "linux", true},
		{"LANG=C.utf8", "linux", true},
		{"LANG=en_GB.UTF-8 LC_CTYPE=C", "linux", false},
		{"LC_ALL=de_DE.UTF-8 LC_CTYPE=C", "linux", true},
		{"LANG=de_DE.ISO-8859-1", "darwin", false},
		{"", "linux", false},
		{"", "darwin", true},
		{"", "windows", true},
	} {
		getenv := func(name string) string {
			for _, kv := range strings.Fields(c.env) {
				if k, v, _ := strings.Cut(kv, "="); k == name {
					return v
				}
			}
			return ""
		}
		if got := SpeaksUTF8(getenv, c.goos); got != c.want {
			t.Errorf("%q on %s: %v", c.env, c.goos, got)
		}
	}
}

func TestADeviceIsNoKeyboard(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if IsKeyboard(f) || IsKeyboard(strings.NewReader("typed")) {
		t.Error("it counts as a keyboard")
	}
}
