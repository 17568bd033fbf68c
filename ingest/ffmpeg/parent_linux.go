package ffmpeg

import (
	"os"
	"os/exec"
	"syscall"
)

// withParent has the system kill ffmpeg when this process is gone, however it ends.
func withParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// keep does nothing: withParent has done all.
func keep(*os.Process) (release func()) { return func() {} }
