package relay

import (
	"context"
	"net"
	"strings"
)

// Other is another protocol on the port for links, which its first byte tells from TLS.
type Other struct {
	Begins string // the bytes with which it may begin; "" for none
	// Take serves a connection of which first has been read, closes it, and returns soon after ctx ends. It has to
	// bound what strangers can do by itself: such a connection has left the door.
	Take func(ctx context.Context, conn net.Conn, first []byte)
}

// begins reports whether a connection that begins like that is of the other protocol. TLS begins with 22
// (recordHandshake), which is no letter.
func (o Other) begins(first []byte) bool {
	return o.Take != nil && len(first) > 0 && strings.IndexByte(o.Begins, first[0]) >= 0
}
