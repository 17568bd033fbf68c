package service

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"relay/cli/fault"
	"relay/cli/words"
)

const (
	// marker is the line, as a comment, by which a file is known as ours. What follows it is the sum of
	// all else in the file.
	marker = "relay service install wrote this; sum "
	// mostUnit bounds a file that may be a unit of ours, in bytes: the arguments of a command are shorter.
	mostUnit = 1 << 20
)

// sumOf returns the sum of a text.
func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// marked returns a text with its mark in place of the one %MARK% in it.
func marked(text string) string {
	return strings.Replace(text, "%MARK%", marker+sumOf(strings.Replace(text, "%MARK%", "", 1)), 1)
}

// ours reports whether a text bears its own mark, so that nobody has changed it since.
func ours(text string) bool {
	before, after, ok := strings.Cut(text, marker)
	if !ok || len(after) < 2*sha256.Size {
		return false
	}
	sum, after := after[:2*sha256.Size], after[2*sha256.Size:]
	return sum == sumOf(before+after)
}

// check fails if there is a file that is not ours as it was written, unless that is meant to go.
func check(path string, force bool) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fault.Fail("", "%w", err)
	}
	defer f.Close()
	b := make([]byte, mostUnit)
	n, _ := f.Read(b)
	if force || ours(string(b[:n])) {
		return nil
	}
	return fault.Fail(words.ServiceForce, words.ServiceChanged, path)
}

// write puts a text in the place of a file, which is whole at any time. What is in it is for its owner:
// arguments may be nobody else's business.
func write(path, text string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // it has another name by then, if all went well
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
