package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"relay/relay/stream"
)

// OwnChannel is a channel that is broadcast from this machine, or was.
type OwnChannel struct {
	Name string // on this machine
	ID   stream.ChannelID
}

// OwnChannels returns the channels whose keys are in the folder that [Open] opens
// as dir, sorted by name. It makes nothing and locks nothing: a folder that is not there
// holds none. Keys that cannot be used are left out, and the error names them.
func OwnChannels(dir string) ([]OwnChannel, error) {
	dir, err := Dir(dir)
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(filepath.Join(dir, channelsDir)) // sorted
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var own []OwnChannel
	var bad []error
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), keyExt)
		if !ok || checkChannelName(name) != nil {
			continue
		}
		key, err := loadKey(filepath.Join(dir, channelsDir, f.Name()), headerChannel)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		own = append(own, OwnChannel{name, stream.IDOf(key)})
	}
	return own, errors.Join(bad...)
}
