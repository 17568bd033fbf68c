package keyring

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"go.uber.org/zap"

	"relay/cli/fault"
	"relay/cli/words"
	"relay/relay/seal"
	"relay/relay/store"
	"relay/relay/stream"
)

// Keys are what it takes to broadcast a channel.
type Keys struct {
	Key   ed25519.PrivateKey
	name  string
	Store *store.Store // nil if nothing can be kept
	lock  *store.Key   // nil if nothing can be kept
	Why   error        // why nothing can be kept, or nil
}

// Open returns the keys of the channel with that name. Where the user's own
// folder cannot be written, as in a read-only home, they are made for this run alone;
// a folder that was asked for must do.
func Open(dir, name string) (*Keys, error) {
	k := &Keys{name: name}
	var err error
	if k.Store, err = store.Open(dir); err == nil {
		k.lock, err = k.Store.ChannelKey(name)
	}
	switch {
	case err == nil:
		k.Key = k.lock.PrivateKey
		return k, nil
	case errors.Is(err, store.ErrInUse):
		return nil, fault.Fail("give this one a name of its own: relay source --channel second", "another relay on this machine is broadcasting channel %q", name)
	case dir == "" && unwritable(err):
		k.Store, k.Why = nil, err
		_, k.Key, err = ed25519.GenerateKey(nil)
		return k, err
	case k.Store == nil:
		return nil, fault.Fail("--config DIR keeps the keys elsewhere", "%w", err)
	}
	return nil, fault.Fail("", "channel %q: %w", name, err)
}

// unwritable reports whether the system refuses files there, or knows no folder for them. A key
// that others can read is not such a case.
func unwritable(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path) || errors.Is(err, store.ErrNoFolder)
}

// Warning returns the warning for keys that cannot be kept. Why must not be nil.
func (k *Keys) Warning() words.Warning {
	return words.Warning{
		Code: words.WarnThrowaway, Text: fmt.Sprintf("the keys cannot be kept (%s), so the link and the stream key are new ones with every start", fault.Plain(k.Why)),
		Hint: "--config DIR keeps them in another folder",
	}
}

// StreamKey returns the key that the encoder has to give.
func (k *Keys) StreamKey() (string, error) {
	if k.Store == nil {
		return store.NewStreamKey(), nil
	}
	s, err := k.Store.StreamKey(k.name)
	if err != nil {
		return "", fault.Fail("", "stream key of channel %q: %w", k.name, err)
	}
	return s, nil
}

// Secret returns the secret that is kept with the channel, zero if there is none.
func (k *Keys) Secret() (seal.Access, error) {
	if k.Store == nil {
		return seal.Access{}, nil
	}
	return k.Store.Secret(k.name)
}

// KeepSecret keeps it for the next run.
func (k *Keys) KeepSecret(a seal.Access) error {
	if k.Store == nil {
		return nil
	}
	return k.Store.KeepSecret(k.name, a)
}

// NextEpoch returns an epoch later than all that were used with the key.
func (k *Keys) NextEpoch(now time.Time) (stream.Epoch, error) {
	if k.Store == nil {
		var r [8]byte
		_, _ = rand.Read(r[:]) // never fails
		return stream.NextEpoch(stream.Epoch{}, now, binary.BigEndian.Uint64(r[:])), nil
	}
	e, err := k.Store.NextEpoch(k.name, now)
	if err != nil {
		hint := ""
		if errors.Is(err, store.ErrNoEpoch) {
			hint = "if this machine's clock is right, remove that file while no source runs"
		}
		return e, fault.Fail(hint, "store the epoch of channel %q: %w", k.name, err)
	}
	return e, nil
}

// Close lets another process have the keys.
func (k *Keys) Close() {
	if k.lock != nil {
		k.lock.Close()
	}
}

// NodeKey returns the user's node key, or one for this run alone when another
// process has it or the folder cannot be used (folderErr, of which the caller tells): a
// watcher needs no lasting name.
func NodeKey(folder *store.Store, folderErr error, log *zap.Logger) (ed25519.PrivateKey, func(), error) {
	if folderErr == nil {
		k, err := folder.NodeKey()
		if err == nil {
			return k.PrivateKey, func() { k.Close() }, nil
		}
		if !errors.Is(err, store.ErrInUse) {
			log.Warn("no lasting node key", zap.Error(err))
		}
	}
	_, key, err := ed25519.GenerateKey(nil)
	return key, func() {}, err
}
