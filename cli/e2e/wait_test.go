//go:build e2e

package e2e

import (
	"testing"

	"relay/cli/e2e/internal/wait"
)

// patience bounds every wait.
const patience = wait.Patience

// eventually waits until ok returns nil.
func eventually(t *testing.T, what string, ok func() error) {
	t.Helper()
	wait.Until(t, what, ok)
}
