//go:build !windows

package service

// LeaveConsole does nothing: no window is opened for a program here.
func LeaveConsole() {}
