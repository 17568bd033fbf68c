package api

import (
	"testing"
	"time"
)

func TestStateIsToldByTheFacts(t *testing.T) {
	now := time.Now()
	ago := func(s float64) time.Time { return now.Add(-time.Duration(s * float64(time.Second))) }
	s := time.Second
	for _, c := range []struct {
		name string
		f    Facts
		want State
	}{
		{"nothing has come", Facts{Attached: true}, Waiting},
		{"nothing has come, and there is no parent", Facts{}, Waiting},
		{"media come", Facts{Attached: true, Came: ago(0)}, Live},
		{"media come, and when they were made is known", Facts{Attached: true, Came: ago(0.1), Quiet: s / 2}, Live},
		{"just not silent for too long", Facts{Attached: true, Came: ago(4.99), Quiet: 5 * s}, Live},
		{"silent for too long", Facts{Attached: true, Came: ago(5), Quiet: 5 * s}, Reconnecting},
		{"silent, and the root's clock is not known", Facts{Attached: true, Came: ago(5)}, Reconnecting},
		{"another's past, from before the source fell silent", Facts{Attached: true, Came: ago(0.1), Quiet: 20 * s}, Reconnecting},
		{"no parent", Facts{Came: ago(1)}, Reconnecting},
		{"no encoder", Facts{Attached: true, Root: true, Idle: true, Came: ago(1)}, Reconnecting},
		{"closed here", Facts{Closed: true, Attached: true, Came: ago(1)}, Reconnecting},
		{"silent for a minute", Facts{Attached: true, Came: ago(60), Quiet: 60 * s}, Reconnecting},
		{"silent for longer", Facts{Attached: true, Came: ago(60.1), Quiet: 60*s + s/10}, Ended},
		{"a broadcast that is over", Facts{Attached: true, Came: ago(0), Quiet: time.Hour}, Ended},
	} {
		if got := StateOf(c.f, now); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestAKnownDelayIsNotZero(t *testing.T) {
	for d, want := range map[time.Duration]int64{-time.Second: 0, 0: 0, 1: 1, time.Millisecond: 1, 2*time.Millisecond - 1: 1, time.Second: 1000} {
		if got := DelayMs(d); got != want {
			t.Errorf("%v is %d ms, want %d", d, got, want)
		}
	}
}
