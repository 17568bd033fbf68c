//go:build e2e && !linux

package program

import "syscall"

func withParent() *syscall.SysProcAttr { return nil }
