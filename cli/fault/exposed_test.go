//go:build !windows

package fault

import "testing"

func TestWhatWasPassedToTheProcessIsNotLookedAt(t *testing.T) {
	for name, want := range map[string]bool{
		"/dev/stdin": true, "/dev/fd/3": true, "/dev/../dev/fd/3": true, "/proc/self/fd/3": true,
		"/dev/shm/secret": false, "/process/secret": false, "/home/me/dev/stdin": false, "dev/stdin": false,
	} {
		if got := passed(name); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
