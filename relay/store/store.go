package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"relay/relay/stream"

	"relay/relay/oneline"
)

// ErrNoFolder says that the system knows no configuration folder for the user.
var ErrNoFolder = errors.New("find the configuration folder")

const (
	dirMode   fs.FileMode = 0o700
	fileMode  fs.FileMode = 0o600
	forOthers fs.FileMode = 0o077 // the bits that neither may have

	channelsDir = "channels"
	keptDir     = "kept"
	nodeName    = "node"
	keyExt      = ".key"
	epochExt    = ".epoch"
	streamExt   = ".stream"
	membersExt  = ".members"
	secretExt   = ".secret"
	seenExt     = ".seen"

	// maxChannelName is the longest name of a channel on this machine.
	maxChannelName = 64
)

// Store is the folder with a user's keys: the node's, and one per channel that is
// broadcast from here. The folder is readable by its owner alone (0700), the files
// too (0600); a key that others can read is refused, not used.
//
//	node.key                 the node's key, PKCS #8 in PEM, with its ID in a header
//	channels/NAME.key        the channel's key, likewise
//	channels/NAME.epoch      the newest epoch used with it
//	channels/NAME.stream     what an encoder has to know to publish
//	channels/NAME.secret     what those need to have who watch it, if it is private
//	channels/ID.secret       the same of a channel that was watched
//	channels/ID.seen         the latest epoch of a channel that was watched
//	channels/ID.members      nodes of a channel that was watched, to join it by again
//	domains                  the channels that domains have named
//	follow                   the channels that the user follows, by name; see [List]
//	kept/ID/                 chunks of a channel that is kept (relay/archive); ID is the short form
//	*.lock                   held while a process uses the key beside it
type Store struct{ dir string }

// Open opens the folder, and makes it if need be. An empty dir stands for
// the user's own: relay in the configuration folder of the system.
func Open(dir string) (*Store, error) {
	dir, err := Dir(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, channelsDir), dirMode); err != nil {
		return nil, fmt.Errorf("make the configuration folder: %w", err)
	}
	for _, d := range []string{dir, filepath.Join(dir, channelsDir)} {
		if err := checkPrivate(d); err != nil {
			return nil, err
		}
	}
	return &Store{dir}, nil
}

// Kept is the folder for what is kept of a channel.
func (s *Store) Kept(id stream.ChannelID) string { return filepath.Join(s.dir, keptDir, id.Short()) }

// Dir is where [Open] finds the folder: dir itself, or if that is empty the
// user's own. It fails if the system knows of no folder for configuration.
func Dir(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	base, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoFolder, err)
	}
	return filepath.Join(base, "relay"), nil
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
