//go:build e2e

// Package wait waits for conditions to become true.
package wait

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

const (
	// Patience bounds every wait: it ends a test that hangs, and says nothing about
	// how fast things ought to be.
	Patience = 2 * time.Minute
	// Every is the time between two looks at a condition.
	Every = 50 * time.Millisecond
)

// Until waits until ok returns nil, and fails the test with its last error if that
// takes longer than [Patience].
func Until(t *testing.T, what string, ok func() error) {
	t.Helper()
	For(t, Patience, what, ok)
}

// For is Until with a bound other than [Patience].
func For(t *testing.T, most time.Duration, what string, ok func() error) {
	t.Helper()
	deadline := time.Now().Add(most)
	for {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			why := fmt.Sprintf("%s: not within %v: %v", what, most, err)
			inVain.Store(t.Name(), why)
			t.Fatal(why)
		}
		time.Sleep(Every)
	}
}

// inVain has, by a test's name, what it waited for and did not see.
var inVain sync.Map

// Repeat has a test that waited in vain say so once more at its end, where whoever reads only the end of a long log
// finds it. It is for the beginning of a test: what is cleaned up after it is told before.
func Repeat(t *testing.T) {
	t.Cleanup(func() {
		if why, ok := inVain.Load(t.Name()); ok {
			t.Log("failed: ", why)
		}
	})
}
