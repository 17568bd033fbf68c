//go:build !linux && !windows

package ffmpeg

import (
	"os"
	"os/exec"
)

// withParent does nothing: where this process ends without a word, ffmpeg ends when it next writes, since nobody
// has the other end of its pipe.
func withParent(*exec.Cmd) {}

// keep does nothing likewise.
func keep(*os.Process) (release func()) { return func() {} }
