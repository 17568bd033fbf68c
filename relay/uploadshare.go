package relay

import (
	"sync"

	"relay/relay/stream"
)

// uploadShares divide Config.Upload among the channels of a node. Each may have what the others leave,
// and in any case its even share: so one that comes late is not kept out, and those that have more
// give it back.
type uploadShares struct {
	mu   sync.Mutex
	used map[stream.ChannelID]int // bit/s to children beyond this machine's own subnets
}

// of notes what a channel uses, and returns what it may use of all; at least 1, since 0 means elsewhere
// that nobody has said.
func (u *uploadShares) of(id stream.ChannelID, uses, all int) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.used == nil {
		u.used = make(map[stream.ChannelID]int)
	}
	u.used[id] = uses
	left := all
	for other, n := range u.used {
		if other != id {
			left -= n
		}
	}
	return max(1, left, all/len(u.used))
}

// forget leaves out a channel that has ended.
func (u *uploadShares) forget(id stream.ChannelID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.used, id)
}
