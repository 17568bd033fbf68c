package store

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// streamKeyBytes of randomness make a stream key: 80 bits, 16 characters.
const streamKeyBytes = 10

// StreamKey returns what an encoder has to know to publish to the channel, made at
// the first call.
func (s *Store) StreamKey(name string) (string, error) {
	if err := checkChannelName(name); err != nil {
		return "", err
	}
	path := filepath.Join(s.dir, channelsDir, name+streamExt)
	b, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		b = []byte(NewStreamKey() + "\n")
		err = createPrivate(path, b)
	}
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(string(b))
	if key == "" {
		return "", fmt.Errorf("%s is empty; remove it to get a new stream key", path)
	}
	return key, nil
}

// NewStreamKey returns a stream key that nobody knows yet.
func NewStreamKey() string {
	r := make([]byte, streamKeyBytes)
	_, _ = rand.Read(r) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(r))
}
