package flag

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/term"
)

// secretFileMost bounds a file with a secret, in bytes.
const secretFileMost = 4 << 10

// StreamKey reads --key; "" if it is not given.
func StreamKey(c *cli.Context) (string, error) {
	s := c.String("key")
	name, ok := strings.CutPrefix(s, "@")
	if !ok {
		return s, nil
	}
	key, err := readSecret(c, name)
	if key = strings.TrimSpace(key); err == nil && strings.ContainsAny(key, "\r\n") {
		err = errors.New("it has several lines")
	}
	if err != nil {
		return "", fault.Usage("it holds the key and nothing else, and has to be readable for you", "--key @%s: %w", name, err)
	}
	return key, nil
}

// Shown returns the names of the secret flags whose values others on this machine may see, because
// they are on the command line.
func Shown(c *cli.Context) (names []string) {
	for _, name := range secretFlags {
		if typed(c, name) && c.String(name) != "" && !strings.HasPrefix(c.String(name), "@") {
			names = append(names, name)
		}
	}
	return names
}

// readSecret reads a file that holds a secret, and warns if others can do so too.
func readSecret(c *cli.Context, name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", bareFile(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, secretFileMost+1))
	if err == nil && len(b) > secretFileMost {
		err = fmt.Errorf("it is longer than %d bytes", secretFileMost)
	}
	if err == nil && len(bytes.TrimSpace(b)) == 0 {
		err = errors.New("it is empty")
	}
	if err == nil {
		warnOfExposed(c, f)
	}
	return string(b), err
}

// forOthers are the permissions that others than its owner have.
const forOthers fs.FileMode = 0o077

// warnOfExposed warns if others on this machine can read a file with a secret. It may be meant to be
// so, or not be ours to change, so it is used all the same.
func warnOfExposed(c *cli.Context, f *os.File) {
	fi, err := f.Stat()
	if runtime.GOOS == "windows" || err != nil || !fi.Mode().IsRegular() || fi.Mode()&forOthers == 0 || passed(f.Name()) {
		return
	}
	term.New(c.App.Writer, c.App.ErrWriter).Warn(
		fmt.Sprintf("%s has a secret, and others on this machine can read it (mode %04o)", f.Name(), fi.Mode().Perm()),
		"chmod 600 "+f.Name()+"; if somebody may have read it, take another secret")
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
