package words

import "fmt"

// PeerCastAt says how PeerCast opens a channel: by its address at this node, and what its users put into their browser
// or player, which is their own PeerCast's.
func PeerCastAt(at, id string) string {
	return fmt.Sprintf("PeerCast  pcp://%s/%s (its users open http://localhost:7144/pls/%s?tip=%s)", at, id, id, at)
}
