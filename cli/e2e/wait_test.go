//go:build e2e

package e2e

import (
	"testing"
	"time"
)

const (
	// patience bounds every wait: it ends a test that hangs, and says nothing
	// about how fast things ought to be.
	patience = 60 * time.Second
	// pollEvery is how often a condition is looked at.
	pollEvery = 50 * time.Millisecond
)

// eventually waits until ok returns nil, and fails the test with its last error if
// that takes longer than patience.
func eventually(t *testing.T, what string, ok func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v: %v", what, patience, err)
		}
		time.Sleep(pollEvery)
	}
}
