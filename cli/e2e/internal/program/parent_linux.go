//go:build e2e

package program

import "syscall"

// withParent makes a child process end when the test process does, however that ends.
func withParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
