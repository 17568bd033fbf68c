//go:build e2e

// Package wait waits for conditions to become true.
package wait

import (
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
			t.Fatalf("%s: not within %v: %v", what, most, err)
		}
		time.Sleep(Every)
	}
}
