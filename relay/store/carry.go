package store

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"relay/relay/oneline"
	"relay/relay/seal"
	"relay/relay/stream"
	"relay/tree"
)

const (
	// maxExport bounds what is read of an exported key, in bytes: the key, and a line for each of
	// maxExported nodes.
	maxExport   = 16 << 10
	maxExported = 8

	// Beside headerChannel.
	headerEpoch  = "Epoch"
	headerSecret = "Secret"
	headerKnown  = "Node-"
)

// Errors of keys that are carried from one machine to another.
var (
	ErrNoKey    = errors.New("there is no such channel on this machine")
	ErrOtherKey = errors.New("the channel has another key on this machine")
	ErrNodeKey  = errors.New("it is the key of a node, and not of a channel")
	ErrFuture   = errors.New("the key was used at a time that has not come yet by this machine's clock")
)

// ExportKey returns the key of the channel with that name as a file to import elsewhere: a PEM block
// with the newest epoch, so that the other machine begins a later one, the secret of a private channel,
// so that its links stay good and nothing goes out in the clear there, and nodes of the channel, so
// that it can tell them. Whoever has it can broadcast in the channel's name.
func (s *Store) ExportKey(name string, now time.Time) ([]byte, stream.ChannelID, error) {
	key, err := s.ownKey(name)
	if err != nil {
		return nil, stream.ChannelID{}, err
	}
	id := stream.IDOf(key)
	epoch, err := loadEpoch(epochPath(s.dir, name))
	if err != nil {
		return nil, id, err
	}
	b, err := pemOf(key, headerChannel)
	if err != nil {
		return nil, id, err
	}
	block, _ := pem.Decode(b)
	block.Headers[headerEpoch] = fmt.Sprint(epoch.Ms)
	secret, err := s.Secret(name)
	if err != nil {
		return nil, id, err
	}
	if secret.Private() {
		block.Headers[headerSecret] = secret.Stored()
	}
	nodes, _ := s.known(id, now) // a list that cannot be read is of no use there either
	for i, k := range nodes[:min(len(nodes), maxExported)] {
		block.Headers[fmt.Sprint(headerKnown, i+1)] = strings.TrimSpace(k.line())
	}
	return pem.EncodeToMemory(block), id, nil
}

// ownKey loads a channel's key, and makes none.
func (s *Store) ownKey(name string) (ed25519.PrivateKey, error) {
	if err := checkChannelName(name); err != nil {
		return nil, err
	}
	key, err := loadKey(s.keyPath(name), headerChannel)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoKey
	}
	return key, err
}

func (s *Store) keyPath(name string) string { return filepath.Join(s.dir, channelsDir, name+keyExt) }

// WriteExport writes an exported key to a new file that nobody else can read. It fails with
// [fs.ErrExist] if there is one of that name.
func WriteExport(path string, b []byte) error { return createPrivate(path, b) }

// ReadExport reads a file with an exported key, which nobody else may be able to read.
func ReadExport(path string) ([]byte, error) {
	return readBounded(path, maxExport, "file that relay key export has written")
}

// ReadExportFrom reads an exported key from a stream.
func ReadExportFrom(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxExport+1))
	if err == nil && len(b) > maxExport {
		err = errors.New("it is too long for a key")
	}
	return b, err
}

// Carried is a key out of a file.
type Carried struct {
	Key   ed25519.PrivateKey
	Epoch stream.Epoch // the newest that was used with it, as far as the file says
	// Secret is that of a private channel; zero if the file has none.
	Secret seal.Access
	nodes  []known
	says   bool // the file says that it is a channel's
}

// MayBeOfNode reports whether the key, which was in the file of that name, may be a node's: the file
// does not say whose it is, which those of earlier versions do not, and is named as a node's is.
func (c Carried) MayBeOfNode(file string) bool {
	dir, name := filepath.Split(file)
	return !c.says && name == nodeName+keyExt && filepath.Base(dir) != channelsDir
}

// ParseExport reads what ExportKey made, or the key file of a channel. It fails with [ErrNodeKey] if the
// file says that the key is a node's. Its error says what is wrong.
func ParseExport(b []byte) (Carried, error) {
	var c Carried
	block, _ := pem.Decode(b)
	switch {
	case block == nil:
		return c, errors.New("it holds no key: a key begins with -----BEGIN PRIVATE KEY-----")
	case block.Type != "PRIVATE KEY":
		return c, fmt.Errorf("it holds a %s, and not a PRIVATE KEY", oneline.Quote(block.Type))
	case block.Headers[headerNode] != "":
		return c, ErrNodeKey
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := k.(ed25519.PrivateKey)
	switch {
	case err != nil:
		return c, errors.New("its key is damaged")
	case !ok:
		return c, errors.New("its key is not an Ed25519 key, as channels have it")
	}
	c.Key = key
	var id string
	if id, c.says = block.Headers[headerChannel]; c.says && id != stream.IDOf(key).String() {
		return c, errors.New("its key is not that of the channel which it names; it has been changed")
	}
	if e, ok := block.Headers[headerEpoch]; ok {
		if c.Epoch, err = parseEpoch([]byte(e)); err != nil {
			return c, errors.New("it does not say when the key was used last; it has been changed")
		}
	}
	if text, ok := block.Headers[headerSecret]; ok {
		if c.Secret, err = seal.ParseStored(text); err != nil || !c.Secret.CanRead() {
			return c, errors.New("its secret of a private channel is damaged")
		}
	}
	for i := range maxExported {
		n, err := parseKnown(block.Headers[fmt.Sprint(headerKnown, i+1)])
		if err != nil {
			break // hints, and no more
		}
		c.nodes = append(c.nodes, n)
	}
	return c, nil
}

// ImportKey takes a key as that of the channel with the name, and the secret beside it. It reports whether the channel had it
// already. It fails with [ErrOtherKey] if it has another one, with [ErrInUse] while a source runs with
// it, with [ErrFuture] if the file has an epoch that nodes would refuse, and with [ErrNodeKey] if it is
// the key of the node here.
func (s *Store) ImportKey(name string, c Carried, now time.Time) (had bool, err error) {
	if err := checkChannelName(name); err != nil {
		return false, err
	}
	if c.Epoch.Check(now) != nil {
		return false, ErrFuture
	}
	if node, err := loadKey(filepath.Join(s.dir, nodeName+keyExt), headerNode); err == nil && node.Equal(c.Key) {
		return false, ErrNodeKey // of an earlier version, and does not say so
	}
	unlock, err := s.lock(name)
	if err != nil {
		return false, err
	}
	defer unlock()
	old, err := loadKey(s.keyPath(name), headerChannel)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return false, err
	case !old.Equal(c.Key):
		return false, ErrOtherKey
	default:
		had = true
	}
	stored, err := loadEpoch(epochPath(s.dir, name))
	if err != nil {
		return had, err
	}
	if c.Epoch.Ms > stored.Ms { // before the key: a key must not be used with an epoch once more
		if err := replacePrivate(epochPath(s.dir, name), fmt.Appendf(nil, "%d\n", c.Epoch.Ms)); err != nil {
			return had, err
		}
	}
	if c.Secret.Private() { // before the key, too: with it alone, the channel would be a public one
		if err := s.KeepSecret(name, c.Secret); err != nil {
			return had, err
		}
	}
	if !had {
		b, err := pemOf(c.Key, headerChannel)
		if err != nil {
			return false, err
		}
		if err := createPrivate(s.keyPath(name), b); err != nil {
			return false, err
		}
	}
	var ps []tree.Place
	for _, n := range c.nodes {
		ps = append(ps, n.place)
	}
	if len(ps) > 0 {
		_ = s.Remember(stream.IDOf(c.Key), ps, now) // the source finds others without them
	}
	return had, nil
}

// RotateKey gives the channel with that name a new key, and a new secret if it is a private one: that of
// a passphrase holds for one key alone. The old ones are kept as a channel of the name that is returned. It fails with [ErrInUse] while a source runs with it.
func (s *Store) RotateKey(name string) (kept string, was, is stream.ChannelID, err error) {
	old, err := s.ownKey(name)
	if err != nil {
		return "", was, is, err
	}
	unlock, err := s.lock(name)
	if err != nil {
		return "", was, is, err
	}
	defer unlock()
	was = stream.IDOf(old)
	kept = fmt.Sprintf("%.*s-old-%s", maxChannelName-len("-old-")-stream.ShortLen, name, was.Short())
	if _, err := os.Lstat(s.keyPath(kept)); err == nil {
		return "", was, is, fmt.Errorf("%s is there already", s.keyPath(kept))
	}
	secret, err := s.Secret(name)
	if err != nil {
		return "", was, is, err
	}
	if secret.Private() {
		if err := s.KeepSecret(kept, secret); err != nil {
			return "", was, is, err
		}
	}
	if err := os.Rename(s.keyPath(name), s.keyPath(kept)); err != nil {
		return "", was, is, err
	}
	if err := os.Rename(epochPath(s.dir, name), epochPath(s.dir, kept)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", was, is, err
	}
	if secret.Private() { // which it is at every moment
		if err := s.KeepSecret(name, seal.New()); err != nil {
			return "", was, is, err
		}
	}
	key, err := makeKey(s.keyPath(name), headerChannel)
	if err != nil {
		return "", was, is, err
	}
	return kept, was, stream.IDOf(key), nil
}

// lock keeps other processes from the channel's key until unlock is called.
func (s *Store) lock(name string) (unlock func(), err error) {
	path := strings.TrimSuffix(s.keyPath(name), keyExt)
	lock := flock.New(path+".lock", flock.SetPermissions(fileMode))
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path+keyExt, err)
	}
	if !got {
		return nil, fmt.Errorf("%s: %w", path+keyExt, ErrInUse)
	}
	return func() { lock.Close() }, nil
}
