package station

import (
	"fmt"
	"net"

	"go.uber.org/zap"

	"relay/cli/fault"
	"relay/cli/keyring"
	"relay/cli/words"
	"relay/relay/seal"
	"relay/relay/store"
)

// Private keeps the players of a private channel on this machine, unless the user has said where they
// ask, or that TVs do: those on its networks need not have the secret.
func (cfg *Config) Private(a seal.Access) {
	if a.Private() && cfg.Near && cfg.TV.Addr == "" {
		_, port, _ := net.SplitHostPort(cfg.HTTP.Addr) // flag.Listen has joined it
		cfg.HTTP.Addr, cfg.Near = net.JoinHostPort("127.0.0.1", port), false
	}
}

// Identify puts into cfg the user's folder and the node key from it. Where nothing can be kept, it
// warns; works says what goes on all the same. The caller calls release.
func (cfg *Config) Identify(dir, works string, warn func(words.Warning), log *zap.Logger) (release func(), err error) {
	folder, folderErr := store.Open(dir)
	if folderErr != nil {
		warn(words.Warning{
			Code: words.WarnThrowaway,
			Text: fmt.Sprintf("nothing can be kept (%s), so this node is a new one with every start", fault.Plain(folderErr)),
			Hint: works + " all the same; --config DIR keeps its key in another folder",
		})
	}
	cfg.Store = folder
	cfg.Key, release, err = keyring.NodeKey(folder, folderErr, log)
	return release, err
}
