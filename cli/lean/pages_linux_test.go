package lean

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// Only what the file still has is given back: the rest would be gone.
func TestPagesThatWereWrittenStay(t *testing.T) {
	const smaps = `00400000-00cce000 r-xp 00000000 fe:00 10248692                           /bin/relay (deleted)
Size:               9016 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
00cce000-0163c000 r--p 008ce000 fe:00 10248692                           /bin/relay (deleted)
Anonymous:             0 kB
VmFlags: rd mr mw me
0163c000-01640000 r--p 0123c000 fe:00 10248692                           /bin/relay (deleted)
Anonymous:            16 kB
01640000-01700000 rw-p 0123c000 fe:00 10248692                           /bin/relay (deleted)
Anonymous:             0 kB
01700000-03747000 rw-p 00000000 00:00 0 
Anonymous:             0 kB
7f7a08c45000-7f7a08c6b000 r--p 00000000 fe:00 326269                     /lib/libc.so.6
Anonymous:             0 kB
7f7a08e3a000-7f7a08e3c000 r-xp 00000000 00:00 0                          [vdso]
Anonymous:             0 kB
`
	want := []region{{0x400000, 0xcce000}, {0xcce000, 0x163c000}}
	if got := unwritten(strings.NewReader(smaps), "/bin/relay (deleted)"); !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// A program goes on without its pages, and has fewer.
func TestPagesOfTheProgramAreGivenBack(t *testing.T) {
	before := residentPages(t)
	releasePages()
	if after := residentPages(t); after >= before {
		t.Errorf("%d KB of the program's file are resident, %d were before", after, before)
	}
}

// residentPages returns how much of the program's file is resident, KB.
func residentPages(t *testing.T) (kb int) {
	t.Helper()
	file, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	of := false
	for line := range strings.Lines(string(smaps)) {
		var n int
		if _, err := fmt.Sscanf(line, "Rss: %d kB", &n); err == nil && of {
			kb += n
		} else if strings.Contains(line, "-") {
			of = strings.HasSuffix(line, " "+file+"\n")
		}
	}
	return kb
}
