package lean

import (
	"runtime"
	"testing"
	"time"
)

func TestGarbageIsFewUnlessItIsCollectedTooOften(t *testing.T) {
	now := time.Unix(0, 0)
	c := newCollector(now)
	c.released = now.Add(1000 * time.Hour) // another test has that
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

func TestMemoryIsGivenBackNowAndThenWhereThereIsLittleWork(t *testing.T) {
	now := time.Unix(0, 0)
	c, n := newCollector(now), 0
	c.release = func() { n++ }
	for _, step := range []struct {
		after time.Duration
		want  int
	}{
		{releaseEvery - 1, 0},
		{often - 1, 0}, // there is work
		{often, 1},
		{0, 1}, // its own collection
		{releaseEvery - 1, 1},
		{often, 2},
	} {
		now = now.Add(step.after)
		if c.collected(now); n != step.want {
			t.Fatalf("%v after the last, memory was given back %d times, want %d", step.after, n, step.want)
		}
	}
}

func TestTheCollectorIsToldOfEachCollection(t *testing.T) {
	now := time.Unix(0, 0)
	c := newCollector(now)
	c.released = now.Add(1000 * time.Hour) // another test has that
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
