package lean

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// crowd is who takes something from a process.
type crowd struct {
	here atomic.Bool
	came chan struct{}
	late atomic.Bool // somebody comes while it is looked
}

func (c *crowd) news() <-chan struct{} {
	c.came = make(chan struct{})
	return c.came
}

func (c *crowd) busy() bool {
	if c.late.Swap(false) {
		defer c.come()
	}
	return c.here.Load()
}

func (c *crowd) come() {
	c.here.Store(true)
	close(c.came)
}

func TestOneProcessorIsUsedWhileNobodyIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan string, 10)
		c := &crowd{}
		th := &threads{one: func() { told <- "one" }, all: func() { told <- "all" }}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { th.run(ctx, c.news, c.busy); close(ended) }()
		after := func(d time.Duration, want ...string) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			var got []string
			for len(told) > 0 {
				got = append(got, <-told)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%v, want %v", got, want)
			}
		}
		after(calm-1, "all")
		after(1, "one")
		after(time.Hour)
		c.come()
		after(0, "all")
		after(time.Hour)
		c.here.Store(false)
		after(calm, "one")
		c.come()
		c.here.Store(false) // and leaves
		after(0, "all")
		after(calm - 1)
		after(1, "one")
		close(c.came) // something else has happened
		after(0, "all")
		c.late.Store(true)
		after(calm, "one", "all")
		after(time.Hour)
		c.here.Store(false)
		after(calm, "one")
		cancel()
		<-ended
		after(0, "all")
	})
}

// Nodes of one process, as those of relay demo.
func TestOneProcessorIsEnoughWhenItIsForEachNode(t *testing.T) {
	var told []string
	th := &threads{one: func() { told = append(told, "one") }, all: func() { told = append(told, "all") }}
	for i, more := range []int{1, 1, -1, 1, -1, -1, 1, 1, -1, -1} {
		th.want(more)
		want := []string{"all", "", "", "", "", "one", "all", "", "", "one"}[i]
		if got := strings.Join(told, " "); got != want {
			t.Fatalf("%d: %q, want %q", i, got, want)
		}
		told = nil
	}
}

func TestTheUserDecidesHowManyProcessorsAreUsed(t *testing.T) {
	t.Setenv("GOMAXPROCS", "2")
	Threads(t.Context(), nil, nil) // returns at once
	if process.busy != 0 {
		t.Error("it counts")
	}
}

func TestTheRuntimeIsTold(t *testing.T) {
	runtime.SetDefaultGOMAXPROCS()
	all := runtime.GOMAXPROCS(0)
	process.one()
	defer process.all()
	if n := runtime.GOMAXPROCS(0); n != 1 {
		t.Errorf("%d processors, want one", n)
	}
	process.all()
	if n := runtime.GOMAXPROCS(0); n != all {
		t.Errorf("%d processors, want %d", n, all)
	}
}
