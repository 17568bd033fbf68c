package lean

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// releasePages has the system take the pages of the program's file out of this process. They stay in its cache, and
// those that are needed come back as they are touched. Two thirds are not: they belong to the beginning, or lie
// beside what was touched, since the system maps 16 at a time.
func releasePages() {
	file, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer maps.Close()
	for _, r := range unwritten(maps, file) {
		// What is refused stays.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, r.from, r.to-r.from, unix.MADV_DONTNEED)
	}
}

// region is a part of this process's memory.
type region struct{ from, to uintptr }

// unwritten returns the regions that hold a file's pages as they are there, of a list as
// /proc/self/smaps has it (proc_pid_smaps(5)): the others could not be had back.
func unwritten(smaps io.Reader, file string) (all []region) {
	var r region
	of := false // it is one of the file, and nobody may write to it
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		line := lines.Bytes()
		if name, value, ok := bytes.Cut(line, []byte(": ")); ok && !bytes.ContainsRune(name, ' ') {
			if of && string(name) == "Anonymous" && string(bytes.TrimSpace(value)) == "0 kB" {
				all = append(all, r)
			}
			continue
		}
		var access string
		_, err := fmt.Sscanf(string(line), "%x-%x %s", &r.from, &r.to, &access)
		of = err == nil && !strings.Contains(access, "w") && strings.HasSuffix(string(line), " "+file)
	}
	return all
}
