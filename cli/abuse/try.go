package abuse

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"relay/cli/abuse/hostile"
)

const (
	// tries is how many inputs are under way at a time: more than a node answers at once, so that
	// some of them have to wait.
	tries = 24
	// patience is how long a node may take to end a connection. The longest of its own times is the
	// 30 s for which a connection of HTTP may be idle.
	patience = 45 * time.Second
	// quietTime is how long the answer to a packet may take; loopback and a LAN need milliseconds.
	quietTime = 500 * time.Millisecond
	// packetPause is how far apart packets of a table are sent. On a machine that has much to do, more at once
	// are too many for the queue in which the system keeps them for the node, and what is dropped there
	// nobody refuses.
	packetPause = 25 * time.Millisecond
	// answerMost bounds what is kept of an answer, in bytes.
	answerMost = 64 << 10
)

// outcome is what became of an input.
type outcome struct {
	input  hostile.Input
	cut    bool // the node has ended the connection
	answer []byte
	took   time.Duration
	err    error // nothing could be tried
}

// wrong says how the outcome differs from what has to be, "" if it does not.
func (o outcome) wrong() string {
	switch w := o.input.Want; {
	case o.err != nil:
		return fmt.Sprintf("cannot be tried: %v", o.err)
	case (w == hostile.Dropped || w == hostile.Ignored) && len(o.answer) > 0:
		return fmt.Sprintf("is answered: %.40q", o.answer)
	case (w == hostile.Refused || w == hostile.Ended || w == hostile.Served) && !o.cut:
		return fmt.Sprintf("is not ended within %v", patience)
	case w == hostile.Answered && len(o.answer) == 0:
		return "is not answered"
	case o.input.Says != "" && !bytes.Contains(o.answer, []byte(o.input.Says)):
		return fmt.Sprintf("is answered %.40q, want %q", o.answer, o.input.Says)
	}
	return ""
}

// tryAll tries a table's inputs, some at a time, each from another address.
func (a *attack) tryAll(ctx context.Context, t hostile.Table) []outcome {
	all := make([]outcome, len(t.Inputs))
	most := tries
	if t.Port == hostile.Media {
		most = 1 // one encoder sends at a time
	}
	slots := make(chan struct{}, most)
	var wg sync.WaitGroup
	for i, in := range t.Inputs {
		slots <- struct{}{}
		if t.Port.Packets() {
			time.Sleep(packetPause)
		}
		wg.Go(func() { // ends within patience
			defer func() { <-slots }()
			began := time.Now()
			if all[i] = a.try(ctx, t.Port, in, i); ctx.Err() == nil {
				all[i].took = time.Since(began)
			}
		})
	}
	wg.Wait()
	return all
}

// try tries the i-th input of a port.
func (a *attack) try(ctx context.Context, p hostile.Port, in hostile.Input, i int) outcome {
	to := a.target.address(p)
	if p.Packets() {
		return tryPacket(in, to, a.from.udp(i))
	}
	conn, err := a.dial(ctx, p, i)
	if err != nil {
		// An input may have to wait for its turn like anybody: the node is not asked what it thinks
		// of the handshake but of what follows.
		return outcome{input: in, err: err}
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return outcome{input: in, err: err}
	}
	written := make(chan struct{})
	go func() { // ends with conn
		defer close(written)
		_, _ = conn.Write(in.Bytes) // who is refused in the middle hears so by reading
		if in.Want == hostile.Ended {
			_ = conn.(interface{ CloseWrite() error }).CloseWrite() // as good as gone if it fails
		}
	}()
	defer func() { conn.Close(); <-written }()
	return read(conn, in)
}

// read reads what comes of an input.
func read(conn net.Conn, in hostile.Input) outcome {
	o := outcome{input: in}
	b := make([]byte, 4096)
	for {
		n, err := conn.Read(b)
		if len(o.answer) < answerMost {
			o.answer = append(o.answer, b[:n]...)
		}
		if in.Want == hostile.Answered && len(o.answer) > 0 && bytes.Contains(o.answer, []byte(in.Says)) {
			return o
		}
		if err != nil {
			o.cut = !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed)
			return o
		}
	}
}

// dial connects to a port as the i-th attacker, with TLS where the port has it.
func (a *attack) dial(ctx context.Context, p hostile.Port, i int) (net.Conn, error) {
	return dialFrom(ctx, p, a.target.address(p), a.from.tcp(i))
}

func dialFrom(ctx context.Context, p hostile.Port, to netip.AddrPort, from net.Addr) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := (&net.Dialer{LocalAddr: from}).DialContext(ctx, "tcp", to.String())
	if err != nil || p != hostile.Link && p != hostile.Stream {
		return conn, err
	}
	protocol := alpnLink
	if p == hostile.Stream {
		protocol = alpnGossip
	}
	cfg, err := throwaway(protocol)
	if err != nil {
		conn.Close()
		return nil, err
	}
	tc := tls.Client(conn, cfg)
	if err := tc.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return tc, nil
}

// tryPacket sends a packet and waits for what comes back.
func tryPacket(in hostile.Input, to netip.AddrPort, from *net.UDPAddr) outcome {
	o := outcome{input: in}
	var conn *net.UDPConn
	if conn, o.err = net.ListenUDP("udp", from); o.err != nil {
		return o
	}
	defer conn.Close()
	if _, o.err = conn.WriteToUDPAddrPort(in.Bytes, to); o.err != nil {
		return o
	}
	if o.err = conn.SetReadDeadline(time.Now().Add(quietTime)); o.err != nil {
		return o
	}
	b := make([]byte, 2048)
	if n, _, err := conn.ReadFromUDPAddrPort(b); err == nil {
		o.answer = b[:n]
	}
	return o
}
