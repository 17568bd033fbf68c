package sink

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"relay/cli/fault"
	"relay/cli/term"
)

// maxNumbered is the highest number that is added to the name of a recording. So many
// recordings of one name come from a script, which should choose names of its own.
const maxNumbered = 9999

// checkRecording reports what would keep a recording from being written to path. It does
// not touch the file, which is opened only when there is something to record.
func checkRecording(path string) error {
	fi, err := os.Stat(path)
	switch {
	case err == nil && fi.IsDir():
		return cannotRecord(&fs.PathError{Op: "open", Path: path, Err: syscall.EISDIR})
	case err == nil:
		return nil
	}
	if fi, err := os.Stat(filepath.Dir(path)); err != nil || !fi.IsDir() {
		return cannotRecord(&fs.PathError{Op: "open", Path: path, Err: syscall.ENOENT})
	}
	return nil
}

// file is the file of a recording. It is made when there is something to write, so a channel that
// never comes leaves none behind.
type file struct {
	path   string
	t      *term.Terminal
	f      *os.File // nil before that
	failed error    // why it could not be made
}

func (f *file) Write(b []byte) (int, error) {
	if f.f == nil {
		if f.f, f.failed = createRecording(f.path); f.failed != nil {
			return 0, f.failed
		}
		if f.f.Name() != f.path {
			f.t.Say("Record  %s, for there is a file %s already", f.f.Name(), f.path)
		}
	}
	return f.f.Write(b)
}

// Truncate is for a write that failed half-way.
func (f *file) Truncate(size int64) error {
	if f.f == nil {
		return nil
	}
	return f.f.Truncate(size)
}

func (f *file) close() error {
	if f.f == nil {
		return nil
	}
	return f.f.Close()
}

// createRecording opens a new file for a recording. A file at path is never
// written over: the new one is called evening-2.mp4 next to evening.mp4. A device or a
// pipe holds no recording, and is written to as it is.
func createRecording(path string) (*os.File, error) {
	if fi, err := os.Stat(path); err == nil && !fi.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, cannotRecord(err)
		}
		return f, nil
	}
	ext := filepath.Ext(path)
	name := path
	for n := 2; ; n++ {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, cannotRecord(err)
		}
		if n > maxNumbered {
			return nil, fault.Fail("move older recordings elsewhere, or choose another name", "cannot record: %s exists, and so do %d more up to %s", path, maxNumbered-1, name)
		}
		name = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(path, ext), n, ext)
	}
}

func cannotRecord(err error) error {
	return fault.Fail("is the folder there, and may you write to it?", "cannot record: %w", err)
}
