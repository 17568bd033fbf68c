//go:build e2e && linux

package main

import "testing"

func TestWhatWasNotGivenBackIsTold(t *testing.T) {
	before := held{rss: 50e6, heap: 12e6, goroutines: 30, files: 18}
	for _, tt := range []struct {
		after held
		want  string
	}{
		{before, ""},
		{held{90e6, 13e6, 34, 20}, ""}, // what is resident follows late
		{held{50e6, 14e6, 30, 18}, "memory"},
		{held{50e6, 12e6, 400, 18}, "goroutines"},
		{held{50e6, 20e6, 36, 22}, "memory, goroutines, descriptors"},
	} {
		if got := tt.after.grown(before); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.after, got, tt.want)
		}
	}
}
