//go:build unix

package term

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// stopSignals are those by which a terminal or a person stops a process and has it go on.
var stopSignals = []os.Signal{syscall.SIGTSTP, syscall.SIGCONT}

func wentOn(s os.Signal) bool { return s == syscall.SIGCONT }

// stopping bounds the wait for the system to stop this process. It does at once, or, where no shell is
// there to have it go on, never.
const stopping = 100 * time.Millisecond

// stopProcess stops this process as Ctrl-Z does, and returns when it goes on. notices gets
// stopSignals, before and after.
func stopProcess(notices chan os.Signal) {
	signal.Reset(syscall.SIGTSTP)
	if syscall.Kill(syscall.Getpid(), syscall.SIGTSTP) == nil {
		select {
		case <-notices:
		case <-time.After(stopping):
		}
	}
	signal.Notify(notices, syscall.SIGTSTP)
}
