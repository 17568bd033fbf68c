//go:build e2e

package program

import "syscall"

// withParent has a child end when the test process does, however that ends.
func withParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
