package relay

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"time"
)

// Packets that show whether a node can be reached over UDP. See wire/spec.md.
const (
	echoAsk   = "relay/1 echo ask"
	echoSay   = "relay/1 echo say"
	echoNonce = 8
	// echoAgain is how long after one packet the next is sent, since any may get lost.
	echoAgain = 500 * time.Millisecond
)

// echo answers a packet that asks for it. It reports false for any other packet. The answer is as
// long as the question, so that it is of no use to flood others.
func (n *Node) echo(b []byte, from netip.AddrPort) bool {
	if len(b) != len(echoAsk)+echoNonce || !bytes.HasPrefix(b, []byte(echoAsk)) {
		return false
	}
	// An answer that gets lost is asked for again.
	_, _ = n.cfg.Packet.WriteTo(append([]byte(echoSay), b[len(echoAsk):]...), net.UDPAddrFromAddrPort(from))
	return true
}

// echoed sends packets to a node until it has answered one, and reports whether it has before ctx
// ended. They come from a port of their own: from the one where gossip comes, they would get
// through wherever gossip has gone out. Only who gets the packet knows what to answer.
func (n *Node) echoed(ctx context.Context, to netip.AddrPort) bool {
	conn, err := n.cfg.Dial(ctx, "udp", to.String())
	if err != nil {
		return false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	ask := make([]byte, len(echoAsk)+echoNonce)
	rand.Read(ask[copy(ask, echoAsk):]) // never fails
	want := append([]byte(echoSay), ask[len(echoAsk):]...)
	b := make([]byte, len(want)+1) // one more shows what is too long
	for ctx.Err() == nil {
		// A packet that cannot be sent is one that does not come.
		_, _ = conn.Write(ask)
		again := time.Now().Add(echoAgain)
		_ = conn.SetReadDeadline(again)
		for {
			k, err := conn.Read(b)
			if err == nil && bytes.Equal(b[:k], want) {
				return true
			}
			if err == nil {
				continue
			}
			select { // a refusal comes at once
			case <-time.After(time.Until(again)):
			case <-ctx.Done():
			}
			break
		}
	}
	return false
}
