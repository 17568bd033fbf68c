//go:build e2e

// Package turns bounds how many tests run at the same time, by what they do and by what
// the machine has to spare.
package turns

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// Turns are places for tests of one sort, each for one test.
type Turns chan struct{}

// New returns n places.
func New(n int) Turns { return make(Turns, n) }

// Take has a test run in parallel with others and waits for a place. The test keeps it
// until all that it started has ended.
func (p Turns) Take(t *testing.T) {
	t.Helper()
	t.Parallel()
	begun := time.Now()
	p <- struct{}{}
	if waited := time.Since(begun).Round(time.Second); waited > 0 {
		t.Logf("its turn comes after %v, which count as the test's time", waited)
	}
	t.Cleanup(func() { <-p })
}

// Unbounded has the testing package start as many parallel tests as there are, so that
// places alone decide. It comes before the tests are run.
func Unbounded() error { return flag.Set("test.parallel", "1000") }

// measured is for how long the machine is looked at.
const measured = time.Second

// Spare is how many cores have nothing to do just now. Where that is not known, all.
func Spare() float64 {
	cores := float64(runtime.NumCPU())
	idle, all, ok := ticks()
	time.Sleep(measured)
	idleNow, allNow, okNow := ticks()
	if !ok || !okNow || allNow <= all {
		return cores
	}
	return cores * float64(idleNow-idle) / float64(allNow-all)
}

// ticks reads the processors' time since the start (proc(5), /proc/stat): that in which
// they had nothing to do, and all of it.
func ticks() (idle, all uint64, ok bool) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, false
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	for i, f := range bytes.Fields(line) {
		if i == 0 {
			continue // "cpu"
		}
		var n uint64
		if _, err := fmt.Sscan(string(f), &n); err != nil {
			return 0, 0, false
		}
		if i == 4 || i == 5 { // idle, and waiting for a disk
			idle += n
		}
		all += n
	}
	return idle, all, all > 0
}
