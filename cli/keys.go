package cli

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"relay/cli/fault"
	"relay/cli/words"
	"relay/relay/store"
	"relay/relay/stream"
)

// channelKeys are what it takes to broadcast a channel.
type channelKeys struct {
	key   ed25519.PrivateKey
	name  string
	store *store.Store // nil if nothing can be kept
	lock  *store.Key   // nil likewise
	why   error        // why not
}

// openKeys returns the keys of the channel with that name. Where the user's own
// folder cannot be written, as in a read-only home, they are made for this run alone;
// a folder that was asked for must do.
func openKeys(dir, name string) (*channelKeys, error) {
	k := &channelKeys{name: name}
	var err error
	if k.store, err = store.Open(dir); err == nil {
		k.lock, err = k.store.ChannelKey(name)
	}
	switch {
	case err == nil:
		k.key = k.lock.PrivateKey
		return k, nil
	case errors.Is(err, store.ErrInUse):
		return nil, fault.Fail("give this one a name of its own: relay source --channel second", "another relay on this machine is broadcasting channel %q", name)
	case dir == "" && unwritable(err):
		k.store, k.why = nil, err
		_, k.key, err = ed25519.GenerateKey(nil)
		return k, err
	case k.store == nil:
		return nil, fault.Fail("--config DIR keeps the keys elsewhere", "%w", err)
	}
	return nil, fault.Fail("", "channel %q: %w", name, err)
}

// unwritable reports whether the system would not have files made there, or knows no
// folder for them. A key that others can read is another matter.
func unwritable(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path) || errors.Is(err, store.ErrNoFolder)
}

// warning says what becomes of keys that cannot be kept.
func (k *channelKeys) warning() words.Warning {
	return words.Warning{
		Code: words.WarnThrowaway, Text: fmt.Sprintf("the keys cannot be kept (%v), so the link and the stream key are new ones with every start", k.why),
		Hint: "--config DIR keeps them in another folder",
	}
}

// streamKey is what the encoder has to give.
func (k *channelKeys) streamKey() (string, error) {
	if k.store == nil {
		return store.NewStreamKey(), nil
	}
	s, err := k.store.StreamKey(k.name)
	if err != nil {
		return "", fault.Fail("", "stream key of channel %q: %w", k.name, err)
	}
	return s, nil
}

// nextEpoch is later than all that were used with the key.
func (k *channelKeys) nextEpoch(now time.Time) (stream.Epoch, error) {
	if k.store == nil {
		var r [8]byte
		_, _ = rand.Read(r[:]) // never fails
		return stream.NextEpoch(stream.Epoch{}, now, binary.BigEndian.Uint64(r[:])), nil
	}
	e, err := k.store.NextEpoch(k.name, now)
	if err != nil {
		return e, fault.Fail("", "store the epoch of channel %q: %w", k.name, err)
	}
	return e, nil
}

func (k *channelKeys) close() {
	if k.lock != nil {
		k.lock.Close()
	}
}
