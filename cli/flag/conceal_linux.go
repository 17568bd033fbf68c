package flag

import "unsafe"

// blot overwrites s, which is part of the process's arguments: the runtime has them where the system
// does, and /proc/PID/cmdline reads them there.
func blot(s string) {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	for i := range b {
		b[i] = '*'
	}
}
