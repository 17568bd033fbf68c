package lean

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// givePagesBack gives the pages of the program's file back to the system, which has them in its cache: those
// that are used after all come back from there, some hundred times a microsecond. If the system does not
// tell what they are, nothing is given back.
func givePagesBack() {
	for _, b := range program() {
		_ = unix.Madvise(b, unix.MADV_DONTNEED) // they stay, then
	}
}

// program returns where the program's file is in memory, without what has been written to: that is no
// copy of the file.
func program() (parts [][]byte) {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return nil
	}
	defer f.Close()
	var part []byte
	for s := bufio.NewScanner(f); s.Scan(); {
		var from, to uintptr
		var mode string
		if n, _ := fmt.Sscanf(s.Text(), "%x-%x %s", &from, &to, &mode); n == 3 {
			part = nil
			if mode[1] != 'w' && strings.HasSuffix(s.Text(), " "+self) {
				part = unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(nil), from)), to-from)
			}
		}
		var written int
		if n, _ := fmt.Sscanf(s.Text(), "Anonymous: %d kB", &written); n == 1 && written == 0 && part != nil {
			parts = append(parts, part)
		}
	}
	return parts
}
