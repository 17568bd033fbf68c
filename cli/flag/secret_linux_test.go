package flag

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestAnOpenFileIsNotWarnedOf(t *testing.T) {
	f, err := os.Open(secretFile(t, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, dir := range []string{"/dev/fd", "/proc/self/fd"} {
		if got := said(t, "--key of relay source", fmt.Sprintf("%s/%d", dir, f.Fd())); got != "" {
			t.Errorf("%s: %q", dir, got)
		}
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error, 1)
	go func() { // ends with the reader
		wrote <- os.WriteFile(pipe, []byte("0123456789abcdef0123456789abcdef\n"), 0)
	}()
	if got := said(t, "--key of relay source", pipe); got != "" {
		t.Errorf("a pipe: %q", got)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}
