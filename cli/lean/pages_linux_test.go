package lean

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestThePagesOfTheProgramAreGivenBackAndComeAgain(t *testing.T) {
	sum := func() (n int) {
		for _, p := range program() {
			for at := 0; at < len(p); at += unix.Getpagesize() {
				n += int(p[at])
			}
		}
		return n
	}
	before := sum() // which needs all of them
	all := resident(t)
	givePagesBack()
	if left := resident(t); left > all*9/10 {
		t.Errorf("%d kB of %d are left", left, all)
	}
	if sum() != before {
		t.Error("other bytes came back")
	}
}

// resident is what is in memory of files, in kB.
func resident(t *testing.T) (kb int) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "RssFile:")
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		t.Fatal(err)
	}
	return kb
}
