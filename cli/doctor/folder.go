package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"relay/cli/term"
	"relay/relay/store"
	"relay/relay/stream"
)

// folder is the folder with the keys as it is now.
type folder struct {
	dir    string
	err    error // why it cannot be used; nil if it can, or can be made
	exists bool
	open   []mode // what others can read in it
	own    []store.OwnChannel
	ownErr error                // keys that cannot be used, other than for who can read them
	epochs map[string]time.Time // when each channel was last started
}

// mode is a file or a folder, and who may do what with it.
type mode struct {
	path string
	perm fs.FileMode
	want fs.FileMode
}

// lookAtFolder looks at the folder that store.Open opens as dir. To know whether it
// can be written, it makes a file there, or where the folder would be made, and removes it.
func lookAtFolder(dir string) folder {
	path, err := store.Dir(dir)
	f := folder{dir: path, err: err, epochs: make(map[string]time.Time)}
	if err != nil {
		return f
	}
	at := path
	for {
		fi, err := os.Stat(at)
		if err == nil && !fi.IsDir() {
			f.err = fmt.Errorf("%s is no folder", at)
			return f
		}
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(at) == at {
			f.err = err
			return f
		}
		at = filepath.Dir(at)
	}
	f.exists = at == path
	if f.err = writable(at); f.err != nil || !f.exists {
		return f
	}
	if runtime.GOOS != "windows" { // whose access lists these bits do not show
		f.open = readable(path)
	}
	f.own, f.ownErr = store.OwnChannels(dir)
	for _, c := range f.own {
		if t, ok := lastStart(filepath.Join(path, "channels", c.Name+".epoch")); ok {
			f.epochs[c.Name] = t
		}
	}
	return f
}

// writable reports why no file can be made in a folder; nil if one can.
func writable(dir string) error {
	tmp, err := os.CreateTemp(dir, ".relay-doctor-*")
	if err != nil {
		return err
	}
	return errors.Join(tmp.Close(), os.Remove(tmp.Name()))
}

// maxStored bounds the files that are looked at: keys of more channels than anyone has,
// and what is known of those that were watched.
const maxStored = 10000

// secret is how the names of those files end that relay refuses if others can read them.
var secret = []string{".key", ".stream", ".epoch", ".members"}

// readable are the folder and the files in it that others than their owner can read.
func readable(dir string) []mode {
	var all []mode
	n := 0
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if n++; err != nil || n > maxStored {
			return fs.SkipAll
		}
		fi, err := os.Stat(path)
		if err != nil {
			return nil
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		} else if !slices.Contains(secret, filepath.Ext(path)) {
			return nil
		}
		if p := fi.Mode().Perm(); p&0o077 != 0 {
			all = append(all, mode{path, p, want})
		}
		return nil
	})
	return all
}

// lastStart reads when a channel was last started.
func lastStart(path string) (time.Time, bool) {
	f, err := os.Open(path)
	if err != nil {
		return time.Time{}, false
	}
	defer f.Close()
	b := make([]byte, 32) // a number of milliseconds
	n, _ := f.Read(b)
	ms, err := strconv.ParseInt(strings.TrimSpace(string(b[:n])), 10, 64)
	return time.UnixMilli(ms), err == nil
}

// firstYear is the one in which this program was written: no clock that is right shows
// an earlier one.
const firstYear = 2026

func (m machine) checkFolder() []Finding {
	f := findings{topic: "Keys and clock"}
	dir := m.folder
	switch {
	case dir.err != nil && dir.dir == "":
		f.todo("Set HOME, or name a folder for the keys by --config DIR.", "There is no folder for the keys: %v.", dir.err)
	case dir.err != nil:
		f.todo("Make it a folder that you can write, or name another by --config DIR. relay watch works without, under a new name with every start.",
			"The folder for the keys, %s, cannot be used: %v.", dir.dir, dir.err)
	case !dir.exists:
		f.fine("The folder for the keys, %s, is not there yet; the first run makes it.", dir.dir)
	default:
		f.fine("The keys are in %s, which can be written.", dir.dir)
	}
	for _, o := range dir.open {
		f.todo(fmt.Sprintf("If nobody has copied it, run: chmod %o %s", o.want, o.path), "Others can read %s (mode %04o), so relay does not use it.", o.path, o.perm)
	}
	if dir.ownErr != nil && len(dir.open) == 0 {
		f.todo("Move the file away, and the channel gets a new key, and with it a new link; or bring back a copy.", "Not all keys can be used: %s.", strings.ReplaceAll(dir.ownErr.Error(), "\n", "; "))
	}
	if len(dir.own) > 0 {
		var names []string
		for _, c := range dir.own {
			names = append(names, c.Name+" ("+c.ID.Short()+")")
		}
		f.fine("Channels of this machine: %s. relay link NAME prints their links.", term.Spelt(names))
	}
	m.checkClock(&f)
	return f.all
}

func (m machine) checkClock(f *findings) {
	for _, c := range m.folder.own {
		if last := m.folder.epochs[c.Name]; last.After(m.now.Add(stream.MaxEpochAhead)) {
			f.todo("Set the clock to the time of the network. If it is right now, and was ahead then, remove "+filepath.Join(m.folder.dir, "channels", c.Name+".epoch")+" while nobody watches.",
				"Channel %s was last started at %s, which is in the future by this machine's clock (%s): viewers would refuse it.", c.Name, last.UTC().Format(time.DateTime), m.now.UTC().Format(time.DateTime))
			return
		}
	}
	if m.now.Year() < firstYear {
		f.todo("Set it to the time of the network: viewers refuse streams of a machine whose clock is more than 5 minutes ahead of theirs.",
			"The clock shows %s, which is long past.", m.now.UTC().Format(time.DateTime))
		return
	}
	f.fine("The clock shows %s UTC; more than 5 minutes ahead of the viewers', it would keep them out.", m.now.UTC().Format(time.DateTime))
}
