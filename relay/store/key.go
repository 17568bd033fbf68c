package store

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/gofrs/flock"
)

// ErrInUse says that another process holds the key.
var ErrInUse = errors.New("in use by another relay process")

// Key is a key out of the store, held for this process until Close.
type Key struct {
	ed25519.PrivateKey
	lock *flock.Flock
}

// Close lets other processes use the key.
func (k *Key) Close() error { return k.lock.Close() }

// NodeKey returns the node's key, made at the first call. It fails with [ErrInUse] if
// another process runs with the key: two nodes must not bear one ID.
func (s *Store) NodeKey() (*Key, error) { return s.key("node") }

// ChannelKey returns the key of the channel with that name on this machine, made at the
// first call. It fails with [ErrInUse] if another process holds it.
func (s *Store) ChannelKey(name string) (*Key, error) {
	if err := checkChannelName(name); err != nil {
		return nil, err
	}
	return s.key(filepath.Join(channelsDir, name))
}

func (s *Store) key(name string) (*Key, error) {
	path := filepath.Join(s.dir, name)
	lock := flock.New(path+".lock", flock.SetPermissions(fileMode))
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path+keyExt, err)
	}
	if !got {
		return nil, fmt.Errorf("%s: %w", path+keyExt, ErrInUse)
	}
	key, err := loadKey(path + keyExt)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeKey(path + keyExt)
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	return &Key{key, lock}, nil
}

func loadKey(path string) (ed25519.PrivateKey, error) {
	b, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("%s is no key file; move it away to get a new key", path)
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := k.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s holds no Ed25519 key; move it away to get a new one", path)
	}
	return key, nil
}

func makeKey(path string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	b, err := pemOf(key)
	if err != nil {
		return nil, err
	}
	return key, createPrivate(path, b)
}

func pemOf(key ed25519.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}
