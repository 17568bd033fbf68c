package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
)

// maxKeyFile bounds what is read of a file with a key, a stream key or an epoch, in bytes.
const maxKeyFile = 4096

// checkPrivate refuses what others than its owner can read. Windows has no such
// bits; its profile folders are private by their access lists.
func checkPrivate(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	fi, err := os.Stat(path) // what a link leads to: a link's own mode says nothing
	if err != nil {
		return err
	}
	if mode, want, is := exposure(fi); is {
		return fmt.Errorf("%s can be read by others (mode %04o); if nobody has copied it, run: chmod %o %s", path, mode, want, path)
	}
	return nil
}

// exposure is the permissions of a file or folder, those that it should have, and whether
// others than its owner can read it.
func exposure(fi fs.FileInfo) (mode, want fs.FileMode, is bool) {
	mode, want = fi.Mode().Perm(), fileMode
	if fi.IsDir() {
		want = dirMode
	}
	return mode, want, mode&forOthers != 0
}

func readPrivate(path string) ([]byte, error) { return readBounded(path, maxKeyFile, "key file") }

// readBounded reads a file that nobody else can read, of at most so many bytes.
func readBounded(path string, most int64, what string) ([]byte, error) {
	if err := checkRegular(path, most, what); err != nil {
		return nil, err
	}
	if err := checkPrivate(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// checkRegular refuses what is not a file of at most so many bytes: a folder, a pipe and
// a link are none.
func checkRegular(path string, most int64, what string) error {
	fi, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !fi.Mode().IsRegular() || fi.Size() > most {
		return fmt.Errorf("%s is no %s", path, what)
	}
	return nil
}

// createPrivate writes a file that must not be there yet, whole or not at all.
func createPrivate(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// replacePrivate puts a file in the place of another in one step.
func replacePrivate(path string, b []byte) error {
	next := path + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := createPrivate(next, b); err != nil {
		return err
	}
	return os.Rename(next, path)
}
