//go:build !lean

package srt

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/datarhei/gosrt/packet"

	"relay/relay/socket"
)

const (
	// dialTime bounds the handshake, and askAgain is how often a question is asked again.
	dialTime, askAgain = 5 * time.Second, 250 * time.Millisecond
)

var (
	errNoAnswer = errors.New("nothing answers over SRT")
	errNoSRT    = errors.New("what answers there is no SRT of version 1.3 or later")
)

// Fetch connects to the address and hands over what each datagram carries, which take does not keep,
// until something ends that. It returns why, never nil.
func (t *Target) Fetch(ctx context.Context, take func([]byte) error) error {
	dialer := net.Dialer{Timeout: dialTime}
	raw, err := dialer.DialContext(ctx, "udp", t.Addr)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", t.Addr, err)
	}
	udp := raw.(*net.UDPConn)
	defer udp.Close()
	_ = udp.SetReadBuffer(readBuffer) // what the system allows
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := t.call(ctx, udp)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", t.Addr, err)
	}
	udp.SetReadDeadline(time.Time{})
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer c.end(errStopped)
	defer context.AfterFunc(c.ctx, func() { udp.SetReadDeadline(time.Unix(0, 1)) })() // lets listen end
	from, err := socket.ReceiverOf(udp)
	if err != nil {
		return fmt.Errorf("read from %s: %w", t.Addr, err)
	}
	tasks.Go(func() { c.listen(from) })
	if err := c.feed(taker(take)); err != nil {
		return fmt.Errorf("read from %s: %w", t.Addr, err)
	}
	return errStopped
}

type taker func([]byte) error

func (t taker) Take(b []byte) error { return t(b) }
func (t taker) Heard(time.Time)     {}
func (t taker) Flush()              {}
func (t taker) Close()              {}

// listen hands over what comes until the connection ends.
func (c *conn) listen(from *socket.Receiver) {
	b := make([]byte, maxDatagram+1)
	for {
		n, _, err := from.Receive(b)
		switch {
		case c.ctx.Err() != nil:
			return
		case errors.Is(err, net.ErrClosed):
			c.end(err)
			return
		case err != nil: // such as that nothing listens there for the moment
			time.Sleep(readAgain)
		case n >= headLen && n <= maxDatagram && destination(b) == c.id:
			c.handle(b[:n], time.Now())
		}
	}
}

// call is what a caller goes through until it is connected.
type call struct {
	*Target
	udp   *net.UDPConn
	begun time.Time
	id    uint32
	first uint32
	key   *key
}

// call asks until there is an answer, which may be a refusal.
func (t *Target) call(ctx context.Context, udp *net.UDPConn) (*conn, error) {
	c := &call{Target: t, udp: udp, begun: time.Now(), id: rand.Uint32() | 1, first: rand.Uint32() & packet.MAX_SEQUENCENUMBER}
	defer context.AfterFunc(ctx, func() { udp.SetReadDeadline(time.Unix(0, 1)) })()
	ask := c.hello()
	agreed := false // to a version
	var why error = errNoAnswer
	for until := c.begun.Add(dialTime); time.Now().Before(until); {
		if _, err := udp.Write(ask); err != nil {
			why = err
		}
		g, err := c.hear()
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			why = err
			continue
		case g == nil:
			continue
		case g.HandshakeType == packet.HSTYPE_INDUCTION && !agreed:
			if g.Version != 5 || g.ExtensionField != magic {
				return nil, errNoSRT
			}
			if ask, err = c.conclude(g); err != nil {
				return nil, err
			}
			agreed = true
		case g.HandshakeType == packet.HSTYPE_CONCLUSION && agreed:
			return c.connected(ctx, g)
		case g.HandshakeType.IsRejection():
			return nil, &CodeError{Code(g.HandshakeType)}
		}
	}
	return nil, why
}

// hello is the first question.
func (c *call) hello() []byte {
	cif := packet.CIFHandshake{
		IsRequest: true, Version: 4, ExtensionField: 2, InitialPacketSequenceNumber: sequence(c.first), MaxTransmissionUnitSize: maxDatagram,
		MaxFlowWindowSize: flowWindow, HandshakeType: packet.HSTYPE_INDUCTION, SRTSocketId: c.id,
	}
	cif.PeerIP.FromNetAddr(c.udp.LocalAddr())
	return marshal(control(packet.CTRLTYPE_HANDSHAKE, c.stamp(), 0, &cif))
}

// conclude is the second one: what is wanted.
func (c *call) conclude(g *greeting) ([]byte, error) {
	cif := g.CIFHandshake
	cif.IsRequest, cif.HandshakeType, cif.EncryptionField, cif.ExtensionField = true, packet.HSTYPE_CONCLUSION, 0, 0
	cif.InitialPacketSequenceNumber, cif.MaxTransmissionUnitSize, cif.MaxFlowWindowSize, cif.SRTSocketId = sequence(c.first), maxDatagram, flowWindow, c.id
	cif.PeerIP.FromNetAddr(c.udp.LocalAddr())
	cif.HasHS, cif.SRTHS = true, ourExtension(uint16(c.Latency.Milliseconds()), uint16(c.Latency.Milliseconds()))
	cif.HasSID, cif.StreamId = c.StreamID != "", c.StreamID
	if c.Passphrase != "" {
		var err error
		if c.key, err = newKey(c.KeyLen); err != nil {
			return nil, err
		}
		if cif.SRTKM, err = c.key.material(c.Passphrase); err != nil {
			return nil, err
		}
		cif.HasKM = true
	}
	return marshal(control(packet.CTRLTYPE_HANDSHAKE, c.stamp(), 0, &cif)), nil
}

func (c *call) stamp() uint32 { return uint32(time.Since(c.begun).Microseconds()) }

// hear waits for an answer for as long as it takes until it is asked again; nil if there is none.
func (c *call) hear() (*greeting, error) {
	b := make([]byte, maxDatagram+1)
	c.udp.SetReadDeadline(time.Now().Add(askAgain))
	for {
		n, err := c.udp.Read(b)
		if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
			return nil, nil
		}
		if err != nil {
			time.Sleep(askAgain)
			return nil, err
		}
		if g, ok := readGreeting(b[:n]); ok && (destination(b) == c.id || destination(b) == 0) {
			return g, nil
		}
	}
}

// connected begins the connection.
func (c *call) connected(ctx context.Context, g *greeting) (*conn, error) {
	if err := g.suits(); err != nil {
		return nil, err
	}
	if g.SRTKM != nil && g.SRTKM.Error != 0 || (g.SRTKM != nil) != (c.key != nil) {
		return nil, &CodeError{codeUnsecure}
	}
	now := time.Now()
	remote := c.udp.RemoteAddr().(*net.UDPAddr).AddrPort()
	return newConn(ctx, connConfig{
		write:  func(b []byte) { c.udp.Write(b) }, // lost if it fails
		remote: netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()), id: c.id, peer: g.SRTSocketId, first: g.InitialPacketSequenceNumber,
		clock: newPeerClock(g.stamp, now), begun: c.begun,
		hold: max(c.Latency, time.Duration(g.SRTHS.SendTSBPDDelay)*time.Millisecond),
		keep: max(c.Latency, time.Duration(g.SRTHS.RecvTSBPDDelay)*time.Millisecond),
		key:  c.key, passphrase: c.Passphrase,
	}, now), nil
}
