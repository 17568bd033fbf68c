package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"relay/relay/stream"
)

func (s *Store) seenPath(channel stream.ChannelID) string {
	return filepath.Join(s.dir, channelsDir, channel.String()+seenExt)
}

// SawEpoch keeps the latest epoch of a channel that was watched: an earlier one is not live any more.
func (s *Store) SawEpoch(channel stream.ChannelID, e stream.Epoch) error {
	if old, err := s.SeenEpoch(channel); err == nil && old.Compare(e) >= 0 {
		return nil
	}
	return replacePrivate(s.seenPath(channel), fmt.Appendf(nil, "%d %d\n", e.Ms, e.Rand))
}

// SeenEpoch returns the latest epoch of a channel that was watched, zero if there was none.
func (s *Store) SeenEpoch(channel stream.ChannelID) (stream.Epoch, error) {
	path := s.seenPath(channel)
	b, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return stream.Epoch{}, nil
	}
	if err != nil {
		return stream.Epoch{}, err
	}
	var e stream.Epoch
	if _, err := fmt.Sscanf(string(b), "%d %d\n", &e.Ms, &e.Rand); err != nil {
		return stream.Epoch{}, fmt.Errorf("%s %w", path, ErrNoEpoch)
	}
	return e, nil
}
