package api

// DialBacks is what GET /api/v1/dialback answers. To answer it, the node asks others of its
// channels to dial it; each answer is told again for half a minute.
type DialBacks struct {
	Channels []ChannelDialBack `json:"channels"`
}

// ChannelDialBack is what other nodes of one channel found out.
type ChannelDialBack struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`    // the ID's short form
	Problem string     `json:"problem"` // why nobody was asked; "" if somebody was, or is not known
	Asked   []DialBack `json:"asked"`
}

// DialBack is what one node found out about whether it gets through to this one.
type DialBack struct {
	By      string `json:"by"`      // where the node was asked: host:port
	Near    bool   `json:"near"`    // it is in a network of this machine's, and says nothing of the Internet
	Addr    string `json:"addr"`    // the address at which it sees this machine, with the port that it dialled; "" if it did not
	TCP     string `json:"tcp"`     // [ReachOpen], [ReachClosed], or "" if it has not tried
	UDP     string `json:"udp"`     // likewise
	Problem string `json:"problem"` // why it has not tried; "" if it has
}
