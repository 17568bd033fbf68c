package fault

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

const (
	// ForOthers are the permissions that others than a file's owner have.
	ForOthers fs.FileMode = 0o077
	// ForAll are those that everybody has. A file of a service's belongs to root, and is for the
	// service's group.
	ForAll fs.FileMode = 0o007
)

// Exposed returns the warning, and what to do, that others on this machine can read a file with a secret;
// "" if its mode has none of these permissions. It may be meant to be so, or not be ours to change, so it is
// used all the same.
func Exposed(f *os.File, these fs.FileMode) (text, hint string) {
	fi, err := f.Stat()
	if runtime.GOOS == "windows" || err != nil || !fi.Mode().IsRegular() || fi.Mode()&these == 0 || passed(f.Name()) {
		return "", ""
	}
	how := "600"
	if these == ForAll {
		how = "o="
	}
	return fmt.Sprintf("%s has a secret, and others on this machine can read it (mode %04o)", f.Name(), fi.Mode().Perm()),
		"chmod " + how + " " + f.Name() + "; if somebody may have read it, take another secret"
}

// passed reports whether a file is one that whoever has started this process has passed to it: an open
// one, whose name says nothing of who can read it, or one of systemd's credentials, which an access list
// opens to the service alone, and for which the mode has the bits of a group.
func passed(name string) bool {
	name, err := filepath.Abs(name)
	if err != nil {
		return false
	}
	within := []string{"/dev/fd", "/proc"}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		within = append(within, dir)
	}
	return name == "/dev/stdin" || slices.ContainsFunc(within, func(dir string) bool {
		return strings.HasPrefix(name, filepath.Clean(dir)+"/")
	})
}
