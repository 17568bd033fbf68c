package lean

import (
	"runtime"
	"testing"
	"time"
)

func TestGarbageIsFewUnlessItIsCollectedTooOften(t *testing.T) {
	now := time.Unix(0, 0)
	c := newCollector(now)
	for _, step := range []struct {
		after time.Duration
		want  int
	}{
		{time.Minute, 50},
		{seldom + 1, 25},
		{seldom, 25}, // as it should be
		{often, 25},
		{seldom + 1, 12},
		{seldom + 1, 6},
		{seldom + 1, leastPercent},
		{time.Hour, leastPercent},
		{often - 1, 6}, // there is work
		{0, 12},
		{0, 24},
		{0, 48},
		{0, 96},
		{0, mostPercent},
		{0, mostPercent},
		{seldom + 1, 50}, // it is over
	} {
		now = now.Add(step.after)
		if got := c.collected(now); got != step.want {
			t.Fatalf("%v after the last: %d %%, want %d", step.after, got, step.want)
		}
	}
}

func TestTheCollectorIsToldOfEachCollection(t *testing.T) {
	now := time.Unix(0, 0)
	c := newCollector(now)
	c.now = func() time.Time { now = now.Add(time.Hour); return now }
	told := make(chan int, mostPercent) // it is told after the test, too, and must not be kept from it
	c.set = func(percent int) { told <- percent }
	c.watch()
	for want := mostPercent / 2; want > leastPercent; want /= 2 {
		runtime.GC()
		if got := <-told; got != want {
			t.Errorf("%d %%, want %d", got, want)
		}
	}
}
