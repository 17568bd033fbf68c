//go:build e2e

// Package turns bounds how many tests run at the same time, depending on what they do and on
// how many cores are idle.
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

// Take makes a test run in parallel with others and waits for a place. The test keeps the place
// until everything that it started has ended.
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

// Unbounded makes the testing package start all parallel tests, so that only places decide. It
// must be called before the tests run.
func Unbounded() error { return flag.Set("test.parallel", "1000") }

// measured is how long Spare watches the machine.
const measured = time.Second

// Spare returns how many cores are idle just now, or all of them if that is not known. A core
// with a program that lets others go first, see nice(1), is as good as idle.
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

// ticks reads the processors' time since the start (proc(5), /proc/stat): the idle time, with
// what nice programs took, and the total.
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
		if i == 2 || i == 4 || i == 5 { // nice, idle, and waiting for a disk
			idle += n
		}
		all += n
	}
	return idle, all, all > 0
}
