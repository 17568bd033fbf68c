package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"relay/relay/seal"
	"relay/relay/stream"
)

// secretPath is where the secret of a channel is kept: by its name here, or its ID.
func secretPath(dir, name string) string { return filepath.Join(dir, channelsDir, name+secretExt) }

// Secret returns what was kept with KeepSecret under the name, the zero Access if nothing was.
func (s *Store) Secret(name string) (seal.Access, error) {
	if err := checkChannelName(name); err != nil {
		return seal.Access{}, err
	}
	return loadSecret(secretPath(s.dir, name))
}

// KeepSecret keeps the access to a private channel, in place of what was kept: under the name of a
// channel that is broadcast from here, or the ID of one that is watched.
func (s *Store) KeepSecret(name string, a seal.Access) error {
	if err := checkChannelName(name); err != nil {
		return err
	}
	return replacePrivate(secretPath(s.dir, name), []byte(a.Stored()+"\n"))
}

func loadSecret(path string) (seal.Access, error) {
	b, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return seal.Access{}, nil
	}
	if err != nil {
		return seal.Access{}, err
	}
	a, err := seal.ParseStored(strings.TrimSpace(string(b)))
	if err != nil { // which shows nothing of it
		return a, fmt.Errorf("%s holds no secret; move it away to get a new one", path)
	}
	return a, nil
}

// SecretOf returns what is kept in the folder that [Open] opens as dir for a channel, the zero Access
// if nothing is. It makes nothing and locks nothing.
func SecretOf(dir string, id stream.ChannelID) (seal.Access, error) {
	dir, err := Dir(dir)
	if err != nil {
		return seal.Access{}, err
	}
	own, _ := OwnChannels(dir) // a key that cannot be used has no part in this
	for _, c := range own {
		if c.ID == id {
			if a, err := loadSecret(secretPath(dir, c.Name)); err != nil || a.Private() {
				return a, err
			}
		}
	}
	return loadSecret(secretPath(dir, id.String()))
}
