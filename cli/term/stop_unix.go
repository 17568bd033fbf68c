//go:build unix

package term

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// stopSignals are those by which a terminal or a person stops a process and has it go on.
var stopSignals = []os.Signal{syscall.SIGTSTP, syscall.SIGCONT}

func wentOn(s os.Signal) bool { return s == syscall.SIGCONT }

// stopProcess stops this process and its group, as Ctrl-Z does, and returns when it goes on. It does nothing
// where no shell has started it as a job, as there nobody would have it go on. notices gets stopSignals.
//
// It is SIGSTOP: after os/signal has once had SIGTSTP, that stops no more.
func stopProcess(notices chan os.Signal) {
	if !isJob() || syscall.Kill(0, syscall.SIGSTOP) != nil {
		return
	}
	for s := range notices {
		if wentOn(s) {
			return
		}
	}
}

// isJob reports whether this process is one of a shell's jobs: in a group of its own, in the shell's
// session.
func isJob() bool {
	parent := os.Getppid()
	if parent <= 1 {
		return false
	}
	own, err := unix.Getsid(0)
	theirs, err2 := unix.Getsid(parent)
	group, err3 := unix.Getpgid(parent)
	return err == nil && err2 == nil && err3 == nil && own == theirs && group != unix.Getpgrp()
}
