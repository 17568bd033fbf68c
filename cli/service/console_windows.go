package service

import "syscall"

// LeaveConsole closes the window that Windows opens for a program of the command line that is started
// without one.
func LeaveConsole() { _, _, _ = syscall.NewLazyDLL("kernel32.dll").NewProc("FreeConsole").Call() }
