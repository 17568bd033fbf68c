package store

import (
	"errors"
	"io/fs"
	"path/filepath"
)

const (
	dhtName = "dht.nodes"
	// maxDHTFile bounds what is read of the file, in bytes: 200 lines with an ID and an address.
	maxDHTFile = 32 << 10
)

// DHTNodes returns what KeepDHTNodes has kept, nil if there is nothing.
func (s *Store) DHTNodes() ([]byte, error) {
	b, err := readBounded(filepath.Join(s.dir, dhtName), maxDHTFile, "list of nodes")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// KeepDHTNodes keeps nodes of the BitTorrent DHT for the next run, in a file for the user alone: it tells whom
// this machine has talked to.
func (s *Store) KeepDHTNodes(b []byte) error {
	return replacePrivate(filepath.Join(s.dir, dhtName), b)
}
