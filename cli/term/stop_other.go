//go:build !unix

package term

import "os"

// stopSignals are none: nothing stops a process here.
var stopSignals []os.Signal

func wentOn(os.Signal) bool { return false }

func stopProcess(chan os.Signal) {}
