package relay

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base32"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"relay/relay/oneline"
	"relay/relay/stream"
)

// ErrInUse says that another process holds the key.
var ErrInUse = errors.New("in use by another relay process")

// ErrNoFolder says that the system knows no configuration folder for the user.
var ErrNoFolder = errors.New("find the configuration folder")

const (
	dirMode  = 0o700
	fileMode = 0o600
	// maxKeyFile bounds what is read of a file in the store.
	maxKeyFile = 4096
	// maxChannelName is the longest name of a channel on this machine.
	maxChannelName = 64
	// streamKeyBytes of randomness make a stream key: 80 bits, 16 characters.
	streamKeyBytes = 10
)

// Store is the folder with a user's keys: the node's, and one per channel that is
// broadcast from here. The folder is readable by its owner alone (0700), the files
// too (0600); a key that others can read is refused, not used.
//
//	node.key                 the node's key, PKCS #8 in PEM
//	channels/NAME.key        the channel's key, likewise
//	channels/NAME.epoch      the newest epoch used with it
//	channels/NAME.stream     what an encoder has to know to publish
//	channels/ID.members      nodes of a channel that was watched, to join it by again
//	*.lock                   held while a process uses the key beside it
type Store struct{ dir string }

// OpenStore opens the folder, and makes it if need be. An empty dir stands for
// the user's own: relay in the configuration folder of the system.
func OpenStore(dir string) (*Store, error) {
	dir, err := StoreDir(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "channels"), dirMode); err != nil {
		return nil, fmt.Errorf("make the configuration folder: %w", err)
	}
	for _, d := range []string{dir, filepath.Join(dir, "channels")} {
		if err := checkPrivate(d); err != nil {
			return nil, err
		}
	}
	return &Store{dir}, nil
}

// checkPrivate refuses what others than its owner can read. Windows has no such
// bits; its profile folders are private by their access lists.
func checkPrivate(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	fi, err := os.Stat(path) // what a link leads to: a link's own mode says nothing
	if err != nil {
		return err
	}
	if p := fi.Mode().Perm(); p&0o077 != 0 {
		want := fs.FileMode(fileMode)
		if fi.IsDir() {
			want = dirMode
		}
		return fmt.Errorf("%s can be read by others (mode %04o); if nobody has copied it, run: chmod %o %s", path, p, want, path)
	}
	return nil
}

// Key is a key out of the store, held for this process until Close.
type Key struct {
	ed25519.PrivateKey
	lock *flock.Flock
}

// Close lets other processes use the key.
func (k *Key) Close() error { return k.lock.Close() }

// NodeKey returns the node's key, made at the first call. It is [ErrInUse] if
// another process runs with it: two nodes must not bear one ID.
func (s *Store) NodeKey() (*Key, error) { return s.key("node") }

// ChannelKey returns the key of the channel with that name on this machine, made
// at the first call, or [ErrInUse].
func (s *Store) ChannelKey(name string) (*Key, error) {
	if err := checkChannelName(name); err != nil {
		return nil, err
	}
	return s.key(filepath.Join("channels", name))
}

func checkChannelName(name string) error {
	ok := name != "" && len(name) <= maxChannelName
	for _, c := range []byte(name) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_')
	}
	if !ok {
		return fmt.Errorf("channel name %s: use up to %d of the characters a-z, 0-9, - and _", oneline.Quote(name), maxChannelName)
	}
	return nil
}

func (s *Store) key(name string) (*Key, error) {
	path := filepath.Join(s.dir, name)
	lock := flock.New(path+".lock", flock.SetPermissions(fileMode))
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s.key: %w", path, err)
	}
	if !got {
		return nil, fmt.Errorf("%s.key: %w", path, ErrInUse)
	}
	key, err := loadKey(path + ".key")
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeKey(path + ".key")
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
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, createPrivate(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func readPrivate(path string) ([]byte, error) { return readBounded(path, maxKeyFile, "key file") }

// readBounded reads a file that nobody else can read, of at most so many bytes.
func readBounded(path string, most int64, what string) ([]byte, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() || fi.Size() > most {
		return nil, fmt.Errorf("%s is no %s", path, what)
	}
	if err := checkPrivate(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// createPrivate writes a file that must not be there yet, whole or not at all.
func createPrivate(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// NextEpoch returns an epoch later than all used with the channel's key before,
// and stores it first: a source that crashes right after must not use it again.
func (s *Store) NextEpoch(name string, now time.Time) (stream.Epoch, error) {
	if err := checkChannelName(name); err != nil {
		return stream.Epoch{}, err
	}
	path := filepath.Join(s.dir, "channels", name+".epoch")
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
	ms, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 63)
	if err != nil {
		return stream.Epoch{}, fmt.Errorf("%s holds no epoch: %w", path, err)
	}
	return stream.Epoch{Ms: ms}, nil
}

// replacePrivate puts a file in the place of another in one step.
func replacePrivate(path string, b []byte) error {
	next := path + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := createPrivate(next, b); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// StreamKey returns what an encoder has to know to publish to the channel, made at
// the first call.
func (s *Store) StreamKey(name string) (string, error) {
	if err := checkChannelName(name); err != nil {
		return "", err
	}
	path := filepath.Join(s.dir, "channels", name+".stream")
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
