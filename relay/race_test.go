//go:build race

package relay

import "runtime"

// oneProcessor has the race detector see one processor until the returned function is
// called. In Go 1.26 the timers of a bubble share one of the detector's threads, though
// goroutines on several processors may run them at once: in a crowd it then fails with
// "CHECK failed: tsan_rtl.cpp" or a SIGSEGV in one run of ten.
func oneProcessor() (restore func()) {
	before := runtime.GOMAXPROCS(1)
	return func() { runtime.GOMAXPROCS(before) }
}
