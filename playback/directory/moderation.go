package directory

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"relay/relay/stream"
)

// Moderation is what whoever hosts a directory lists and does not list: files with a channel's ID or link at the
// beginning of each line, and # before remarks. Changed files are read again. Its zero value lists all.
type Moderation struct {
	Allow string // lists what is in this file alone; "" for all
	Deny  string // and nothing that is in this one

	mu          sync.Mutex
	allow, deny idFile
}

// idFile is what is in a file, and when it was read.
type idFile struct {
	ids  map[stream.ChannelID]bool
	mod  time.Time
	size int64
}

const (
	// maxIDs bounds the lines of a file, and lookEvery is how often it is looked at.
	maxIDs    = 1_000_000
	lookEvery = 5 * time.Second
)

// ErrLine is a line without a channel's ID.
type ErrLine struct {
	File string
	Line int
}

func (e *ErrLine) Error() string {
	return fmt.Sprintf("%s, line %d: it begins with no channel's ID or link", e.File, e.Line)
}

// Load reads what has changed since the last time, and reports whether something has. A file with a mistake
// changes nothing.
func (m *Moderation) Load() (changed bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range []struct {
		name string
		in   *idFile
	}{{m.Allow, &m.allow}, {m.Deny, &m.deny}} {
		if f.name == "" {
			continue
		}
		fresh, one := f.in.load(f.name)
		changed = changed || fresh
		err = errors.Join(err, one)
	}
	return changed, err
}

func (f *idFile) load(name string) (changed bool, err error) {
	file, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		return false, err
	}
	if f.ids != nil && st.ModTime().Equal(f.mod) && st.Size() == f.size {
		return false, nil
	}
	ids, err := readIDs(name, file)
	if err != nil {
		return false, err
	}
	*f = idFile{ids, st.ModTime(), st.Size()}
	return true, nil
}

func readIDs(name string, r io.Reader) (map[stream.ChannelID]bool, error) {
	ids := make(map[stream.ChannelID]bool)
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		word, _, _ := strings.Cut(strings.TrimPrefix(words[0], linkScheme), "@")
		id, err := stream.ParseChannelID(word)
		if err != nil || n > maxIDs {
			return nil, &ErrLine{name, n}
		}
		ids[id] = true
	}
	return ids, lines.Err()
}

// Lists reports whether a channel is listed.
func (m *Moderation) Lists(id stream.ChannelID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.deny.ids[id] && (m.Allow == "" || m.allow.ids[id])
}
