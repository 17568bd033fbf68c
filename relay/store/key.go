package store

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/gofrs/flock"

	"relay/relay/stream"
	"relay/tree"
)

// ErrInUse says that another process holds the key.
var ErrInUse = errors.New("in use by another relay process")

// A key file says in a header of its PEM block whose key it is, with the ID: keys of nodes and of
// channels look alike, and one must not be taken for the other. Files of earlier versions do not.
const (
	headerChannel = "Channel"
	headerNode    = "Node"
)

// Key is a key out of the store, held for this process until Close.
type Key struct {
	ed25519.PrivateKey
	lock *flock.Flock
}

// Close lets other processes use the key.
func (k *Key) Close() error { return k.lock.Close() }

// NodeKey returns the node's key, made at the first call. It fails with [ErrInUse] if
// another process runs with the key: two nodes must not bear one ID.
func (s *Store) NodeKey() (*Key, error) { return s.key(nodeName, headerNode) }

// ChannelKey returns the key of the channel with that name on this machine, made at the
// first call. It fails with [ErrInUse] if another process holds it.
func (s *Store) ChannelKey(name string) (*Key, error) {
	if err := checkChannelName(name); err != nil {
		return nil, err
	}
	return s.key(filepath.Join(channelsDir, name), headerChannel)
}

func (s *Store) key(name, of string) (*Key, error) {
	path := filepath.Join(s.dir, name)
	lock := flock.New(path+".lock", flock.SetPermissions(fileMode))
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path+keyExt, err)
	}
	if !got {
		return nil, fmt.Errorf("%s: %w", path+keyExt, ErrInUse)
	}
	key, err := loadKey(path+keyExt, of)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeKey(path+keyExt, of)
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	return &Key{key, lock}, nil
}

// loadKey reads the key file of a node or a channel, and refuses one that says it is of the other.
func loadKey(path, of string) (ed25519.PrivateKey, error) {
	b, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("%s is no key file; move it away to get a new key", path)
	}
	switch {
	case of == headerNode && block.Headers[headerChannel] != "":
		return nil, fmt.Errorf("%s is the key of a channel, and not of a node; move it away to get a new one", path)
	case of == headerChannel && block.Headers[headerNode] != "":
		return nil, fmt.Errorf("%s is the key of a node, and not of a channel; move it away to get a new one", path)
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := k.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s holds no Ed25519 key; move it away to get a new one", path)
	}
	return key, nil
}

func makeKey(path, of string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	b, err := pemOf(key, of)
	if err != nil {
		return nil, err
	}
	return key, createPrivate(path, b)
}

func pemOf(key ed25519.PrivateKey, of string) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	pub := stream.IDOf(key)
	headers := map[string]string{of: pub.String()}
	if of == headerNode {
		headers[of] = tree.ID(sha256.Sum256(pub[:])).String() // as relay.NodeID has it
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Headers: headers, Bytes: der}), err
}
