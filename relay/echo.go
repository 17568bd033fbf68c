package relay

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"sync"
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

// echoes are those that this node waits for.
type echoes struct {
	mu   sync.Mutex
	wait map[[echoNonce]byte]chan struct{} // closed when it has come
}

// echo answers a packet that asks for it, or takes an answer. It reports false for any other
// packet. The answer is as long as the question, so that it is of no use to flood others.
func (n *Node) echo(b []byte, from netip.AddrPort) bool {
	if len(b) != len(echoAsk)+echoNonce {
		return false
	}
	nonce := [echoNonce]byte(b[len(echoAsk):])
	switch {
	case bytes.HasPrefix(b, []byte(echoAsk)):
		// An answer that gets lost is asked for again.
		_, _ = n.cfg.Packet.WriteTo(append([]byte(echoSay), nonce[:]...), net.UDPAddrFromAddrPort(from))
		return true
	case bytes.HasPrefix(b, []byte(echoSay)):
		n.echoes.mu.Lock()
		defer n.echoes.mu.Unlock()
		if came := n.echoes.wait[nonce]; came != nil {
			close(came)
			delete(n.echoes.wait, nonce)
		}
		return true
	}
	return false
}

// echoed sends packets to a node until it has answered one, and reports whether it has before ctx
// ended. Only who gets the packet knows what to answer.
func (n *Node) echoed(ctx context.Context, to netip.AddrPort) bool {
	var nonce [echoNonce]byte
	rand.Read(nonce[:]) // never fails
	came := make(chan struct{})
	n.echoes.mu.Lock()
	if n.echoes.wait == nil {
		n.echoes.wait = make(map[[echoNonce]byte]chan struct{})
	}
	n.echoes.wait[nonce] = came
	n.echoes.mu.Unlock()
	defer func() {
		n.echoes.mu.Lock()
		defer n.echoes.mu.Unlock()
		delete(n.echoes.wait, nonce)
	}()
	again := time.NewTicker(echoAgain)
	defer again.Stop()
	for {
		// One that cannot be sent is one that does not come.
		_, _ = n.cfg.Packet.WriteTo(append([]byte(echoAsk), nonce[:]...), net.UDPAddrFromAddrPort(to))
		select {
		case <-came:
			return true
		case <-again.C:
		case <-ctx.Done():
			return false
		}
	}
}
