package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// maxInspected bounds the files whose modes [Inspect] looks at: those of more channels than
// anyone has, and lists of nodes of those that were watched.
const maxInspected = 10000

// Contents is what [Inspect] found.
type Contents struct {
	Dir      string // where [Open] would open the folder; empty if there is no such place
	Err      error  // why the folder can neither be used nor made; nil if it can
	Exists   bool
	Exposed  []Exposed // what others than the owner can read, and the store therefore refuses
	Channels []OwnChannel
	Unusable error   // names the channel keys that cannot be used; nil if there are none
	Starts   []Start // of those Channels that have been started
}

// Exposed is the folder, a folder in it or a file that others than its owner can read.
type Exposed struct {
	Path       string
	Mode, Want fs.FileMode // permissions: those it has, and those it should have
}

// Start is when a channel was last started.
type Start struct {
	Channel string // its name on this machine
	At      time.Time
	File    string // keeps the time; without it, the next start goes by the clock alone
}

// Inspect looks at the folder that [Open] opens as dir, and locks nothing. To know whether
// the folder can be written, it makes a file there, or where the folder would be made, and
// removes it.
func Inspect(dir string) Contents {
	var c Contents
	if c.Dir, c.Err = Dir(dir); c.Err != nil {
		return c
	}
	at, err := lowestFolder(c.Dir)
	if err != nil {
		c.Err = err
		return c
	}
	c.Exists = at == c.Dir
	if c.Err = writable(at); c.Err != nil || !c.Exists {
		return c
	}
	if runtime.GOOS != "windows" { // whose access lists these bits do not show
		c.Exposed = exposed(c.Dir)
	}
	c.Channels, c.Unusable = OwnChannels(c.Dir)
	for _, own := range c.Channels {
		path := epochPath(c.Dir, own.Name)
		if at, ok := startedAt(path); ok {
			c.Starts = append(c.Starts, Start{own.Name, at, path})
		}
	}
	return c
}

// lowestFolder returns the path, or if nothing is there the closest folder above it.
func lowestFolder(path string) (string, error) {
	for {
		fi, err := os.Stat(path)
		switch {
		case err == nil && !fi.IsDir():
			return "", fmt.Errorf("%s is no folder", path)
		case err == nil:
			return path, nil
		case !errors.Is(err, fs.ErrNotExist) || filepath.Dir(path) == path:
			return "", err
		}
		path = filepath.Dir(path)
	}
}

// writable reports why no file can be made in a folder; nil if one can.
func writable(dir string) error {
	tmp, err := os.CreateTemp(dir, ".inspect-*")
	if err != nil {
		return err
	}
	return errors.Join(tmp.Close(), os.Remove(tmp.Name()))
}

// exposed are the folder, its folder of channels and the files in the two that [checkPrivate]
// refuses. Nothing is read from any other folder in it, whoever else may.
func exposed(dir string) []Exposed {
	private := []string{keyExt, streamExt, epochExt, membersExt, secretExt, seenExt}
	var all []Exposed
	look := func(path string) {
		fi, err := os.Stat(path)
		if err != nil {
			return
		}
		if mode, want, is := exposure(fi); is {
			all = append(all, Exposed{path, mode, want})
		}
	}
	n := 0
	for _, folder := range []string{dir, filepath.Join(dir, channelsDir)} {
		look(folder)
		files, _ := os.ReadDir(folder) // those read before an error are as good as any
		for _, f := range files {
			if f.IsDir() || !slices.Contains(private, filepath.Ext(f.Name())) {
				continue
			}
			if n++; n > maxInspected {
				break
			}
			look(filepath.Join(folder, f.Name()))
		}
	}
	return all
}

// startedAt returns the time in the epoch file at a path, whoever else can read it.
func startedAt(path string) (time.Time, bool) {
	if checkRegular(path, maxKeyFile, "epoch file") != nil {
		return time.Time{}, false
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return time.Time{}, false
	}
	e, err := parseEpoch(b)
	return time.UnixMilli(int64(e.Ms)), err == nil
}
