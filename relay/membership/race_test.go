//go:build race

package membership_test

import "runtime"

// In Go 1.26 the timers of a bubble share one of the race detector's threads, though goroutines on
// several processors may run them at once: in a crowd it then fails with a SIGSEGV.
func init() { runtime.GOMAXPROCS(1) }
