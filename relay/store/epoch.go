package store

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"relay/relay/stream"
)

// ErrNoEpoch says that the file for the newest epoch of a channel holds something else.
var ErrNoEpoch = errors.New("holds no epoch")

// epochPath is where the newest epoch of the channel with that name is kept.
func epochPath(dir, name string) string { return filepath.Join(dir, channelsDir, name+epochExt) }

// NextEpoch returns an epoch later than all used with the channel's key before,
// and stores it first: a source that crashes right after must not use it again.
func (s *Store) NextEpoch(name string, now time.Time) (stream.Epoch, error) {
	if err := checkChannelName(name); err != nil {
		return stream.Epoch{}, err
	}
	path := epochPath(s.dir, name)
	stored, err := loadEpoch(path)
	if err != nil {
		return stream.Epoch{}, err
	}
	var r [8]byte
	_, _ = rand.Read(r[:]) // never fails
	e := stream.NextEpoch(stored, now, binary.BigEndian.Uint64(r[:]))
	return e, replacePrivate(path, fmt.Appendf(nil, "%d\n", e.Ms))
}

func loadEpoch(path string) (stream.Epoch, error) {
	b, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return stream.Epoch{}, nil
	}
	if err != nil {
		return stream.Epoch{}, err
	}
	e, err := parseEpoch(b)
	if err != nil {
		return stream.Epoch{}, fmt.Errorf("%s %w", path, ErrNoEpoch)
	}
	return e, nil
}

// parseEpoch reads what an epoch file holds: the Unix time in ms, which fits int64.
func parseEpoch(b []byte) (stream.Epoch, error) {
	ms, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 63)
	return stream.Epoch{Ms: ms}, err
}
