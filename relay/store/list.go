package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// List is a text of the user's own in the folder, which they may also write by hand, and show to others.
type List struct {
	dir, name string
	most      int64
}

// Follow is the list of the channels that the user follows, in the folder that [Open] opens as dir, of at most so
// many bytes.
func Follow(dir string, most int64) List { return List{dir, "follow", most} }

// Path is where the list is.
func (l List) Path() (string, error) {
	dir, err := Dir(l.dir)
	return filepath.Join(dir, l.name), err
}

// Read returns the list, nothing if there is none. It makes nothing.
func (l List) Read() ([]byte, error) {
	path, err := l.Path()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() {
		return nil, errors.Join(err, fmt.Errorf("%s is no file", path))
	}
	b, err := io.ReadAll(io.LimitReader(f, l.most+1))
	if err == nil && int64(len(b)) > l.most {
		err = fmt.Errorf("%s has more than %d KiB", path, l.most>>10)
	}
	return b, err
}

// Change replaces the list by what change makes of it, in one step; as it was, if change fails. Nobody else
// changes it meanwhile.
func (l List) Change(change func([]byte) ([]byte, error)) error {
	s, err := Open(l.dir)
	if err != nil {
		return err
	}
	path, err := l.Path()
	if err != nil {
		return err
	}
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to // those who keep their settings elsewhere go on doing so
	}
	lock := flock.New(filepath.Join(s.dir, l.name+".lock"), flock.SetPermissions(fileMode))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer lock.Close()
	was, err := l.Read()
	if err != nil {
		return err
	}
	b, err := change(was)
	if err != nil {
		return err
	}
	if int64(len(b)) > l.most {
		return fmt.Errorf("%s would have more than %d KiB", path, l.most>>10)
	}
	return replacePrivate(path, b)
}
