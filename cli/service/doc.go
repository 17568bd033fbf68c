// Package service has relay started by the system, for one user: by systemd on Linux, launchd on macOS and
// the Task Scheduler on Windows. What it writes for them is text that a pure function makes (unit.go,
// plist.go, task.go); who is asked to take it is a program of the system (systemd.go, launchd.go,
// scheduler.go), found on PATH.
//
// A unit bears a sum of itself (mark.go): one that its owner has changed is neither replaced nor removed
// without being told to.
package service
