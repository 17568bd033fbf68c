//go:build !lean

package srt

import (
	"context"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"github.com/datarhei/gosrt/circular"
	"github.com/datarhei/gosrt/congestion"
	"github.com/datarhei/gosrt/congestion/live"
	"github.com/datarhei/gosrt/packet"
)

const (
	// tick is how often a connection looks at its clock: acknowledgements go out, and what is ripe comes in. It is
	// twice what draft-sharabayko-srt-01 has (4.8.1): each wakes a thread. playerTick is that of one that is sent to.
	tick, playerTick = 20 * time.Millisecond, 50 * time.Millisecond
	// keepAlive is after how long of silence this side says that it is there, and idle how long the
	// other may be silent (libsrt's SRTO_PEERIDLETIMEO).
	keepAlive, idle = time.Second, 5 * time.Second
	// waiting is how many packets wait to be taken, at most, and ahead how far the times of what has
	// come may lie ahead beyond the latency.
	waiting = 1024
	ahead   = time.Second
	// maxHeld is how many packets are held until they are ripe, at most: 8 s of 11 Mb/s, 1 s of 86.
	maxHeld = flowWindow
	// maxUnsent is what may wait to be acknowledged, in bytes: 8 s of 16 Mb/s.
	maxUnsent = 16 << 20
	// maxAgain is what may be sent again beyond as much as was sent at all, in bytes, and maxRanges how
	// many ranges of a report of losses are looked at.
	maxAgain  = 1 << 20
	maxRanges = 64
	// lookEvery is how often it is looked whether a player takes what it is sent.
	lookEvery = 5 * time.Second
	// chatter is how many packets of data a player may send. It has none to send.
	chatter = 16
	// rekeyTime is how long the next key has to wait for: to open one costs a millisecond.
	rekeyTime = time.Second
	// mostSent is how many packets a connection sends before numbers would be used again.
	mostSent = 1 << 30
)

// connConfig is what both sides have agreed on.
type connConfig struct {
	write      func([]byte) // sends a datagram to the peer; one that is not sent is lost
	remote     netip.AddrPort
	id, peer   uint32 // sockets, here and there
	first      circular.Number
	clock      peerClock
	begun      time.Time     // of this side's clock
	hold, keep time.Duration // latencies, of what comes and of what is sent
	key        *key          // nil for none
	passphrase string        // of keys that follow
	player     bool          // it is sent to, and nothing is taken from it
}

// conn is a connection. It is safe for concurrent use.
type conn struct {
	connConfig
	ctx context.Context // ends with it, for the cause
	end context.CancelCauseFunc
	in  chan packet.Packet // ripe

	mu       sync.Mutex
	recv     congestion.Receiver
	snd      congestion.Sender
	out      []byte // the datagram that is being made
	heard    time.Time
	spoke    time.Time
	rtt      roundTrip
	acks     acks
	came     time.Time // when the newest data came; zero before any
	stopped  bool      // the other side will send no more
	reports  reports
	rekeyed  time.Time
	sent     uint64
	noise    int
	looked   time.Time
	was      congestion.SendStats // when it was looked last
	overflow uint64               // packets for which there was no room
}

func newConn(ctx context.Context, cfg connConfig, now time.Time) *conn {
	c := &conn{connConfig: cfg, in: make(chan packet.Packet, waiting), heard: now, spoke: now, looked: now, rtt: newRoundTrip()}
	c.ctx, c.end = context.WithCancelCause(ctx)
	c.recv = live.NewReceiver(live.ReceiveConfig{
		InitialSequenceNumber: cfg.first, PeriodicACKInterval: uint64(tick.Microseconds() / 2), PeriodicNAKInterval: uint64(tick.Microseconds()),
		OnSendACK: c.acknowledge, OnSendNAK: c.report, OnDeliver: c.deliver,
	})
	// What is older than the latency and a quarter is of no use to the other side (4.6).
	drop := max(cfg.keep+cfg.keep/4, time.Second) + tick
	c.snd = live.NewSender(live.SendConfig{InitialSequenceNumber: cfg.first, DropThreshold: uint64(drop.Microseconds()), OnDeliver: c.transmit})
	return c
}

// run looks at the clock of a player's connection until it ends, and then tells the other side. What a
// player is sent goes out at once.
func (c *conn) run() {
	defer c.goodbye()
	t := time.NewTicker(playerTick)
	defer t.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case now := <-t.C:
			c.tick(now)
		}
	}
}

// goodbye tells the other side that the connection has ended.
func (c *conn) goodbye() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.say(packet.CTRLTYPE_SHUTDOWN, 0, 0, &packet.CIFShutdown{})
	c.snd.Flush()
	c.recv.Flush()
}

func (c *conn) tick(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.heard) > idle {
		c.end(errGone)
		return
	}
	if !c.came.IsZero() {
		c.recv.Tick(uint64(c.clock.now(now)))
	}
	c.finish()
	c.snd.Tick(c.elapsed(now))
	if now.Sub(c.spoke) > keepAlive {
		c.say(packet.CTRLTYPE_KEEPALIVE, 0, 0, nil)
	}
	if c.player && now.Sub(c.looked) > lookEvery {
		c.look(now)
	}
}

// finish ends the connection once the other side has stopped and all is delivered that came before: it
// is held for the latency.
func (c *conn) finish() {
	if c.stopped && (c.player || c.recv.Stats().PktBuf == 0) {
		c.end(errStopped)
	}
}

// look ends the connection of a player that has not acknowledged half of what it was sent.
func (c *conn) look(now time.Time) {
	st := c.snd.Stats()
	sent, lost := st.PktUnique-c.was.PktUnique, st.PktDrop-c.was.PktDrop
	c.looked, c.was = now, st
	if lost > 0 && 2*lost > sent {
		c.end(errSlow)
	}
}

// elapsed is this side's time, in microseconds.
func (c *conn) elapsed(now time.Time) uint64 { return uint64(now.Sub(c.begun).Microseconds()) }

// handle takes a datagram that came from the peer, whose head is whole.
func (c *conn) handle(b []byte, now time.Time) {
	p, err := packet.NewPacketFromData(nil, b)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return
	}
	c.heard = now
	if !p.Header().IsControlPacket {
		c.take(p, now)
		return
	}
	defer p.Decommission()
	switch h := p.Header(); h.ControlType {
	case packet.CTRLTYPE_SHUTDOWN:
		c.stopped = true
		c.finish()
	case packet.CTRLTYPE_ACK:
		c.acknowledged(p, now)
	case packet.CTRLTYPE_NAK:
		c.again(p, now)
	case packet.CTRLTYPE_ACKACK:
		c.clock.sample(h.Timestamp, now)
		if took, ok := c.acks.answered(h.TypeSpecific, now); ok {
			c.rtt.add(took)
			c.recv.SetNAKInterval(c.rtt.reportEvery())
		}
	case packet.CTRLTYPE_USER:
		if h.SubType == packet.EXTTYPE_KMREQ {
			c.rekey(p, now)
		}
	}
}

// take takes data.
func (c *conn) take(p packet.Packet, now time.Time) {
	h := p.Header()
	if c.player {
		if c.noise++; c.noise > chatter {
			c.end(errNoise)
		}
		return
	}
	// A number of 0 has what mends others (packet filters), which were not agreed on. On an encrypted connection what is in
	// the clear is not the peer's.
	if h.MessageNumber == 0 || p.Len() == 0 || p.Len() > maxPayload || (h.KeyBaseEncryptionFlag != 0) != (c.key != nil) {
		return
	}
	if c.recv.Stats().PktBuf >= maxHeld {
		c.overflow++
		return
	}
	if c.key != nil {
		if !c.key.crypt(p.Data(), h.KeyBaseEncryptionFlag, h.PacketSequenceNumber.Val()) {
			return
		}
	}
	ripe, latest := c.clock.unwrap(h.Timestamp)+c.recvLatency(), c.clock.now(now)+c.recvLatency()+ahead.Microseconds()
	h.PktTsbpdTime = uint64(max(min(ripe, latest), 0))
	c.came = now
	c.recv.Push(p)
}

func (c *conn) recvLatency() int64 { return c.hold.Microseconds() }

// deliver hands over what is ripe.
func (c *conn) deliver(p packet.Packet) {
	select {
	case c.in <- p:
	default:
		c.overflow++ // whoever uses the connection is too slow
	}
}

// put sends payloads. An error says that the connection has ended.
func (c *conn) put(payloads ...[]byte) error {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	if c.snd.Stats().ByteBuf > maxUnsent {
		c.end(errSlow)
		return errSlow
	}
	for _, b := range payloads {
		p := packet.NewPacket(nil)
		p.SetData(b)
		p.Header().PktTsbpdTime = c.elapsed(now)
		c.snd.Push(p)
	}
	if c.sent += uint64(len(payloads)); c.sent > mostSent {
		c.end(errStopped)
	}
	c.snd.Tick(c.elapsed(now))
	return nil
}

// transmit sends a packet of data, for the first time or again.
func (c *conn) transmit(p packet.Packet) {
	p.Header().DestinationSocketId = c.peer
	c.send(p)
}

// say sends a control packet.
func (c *conn) say(kind packet.CtrlType, sub packet.CtrlSubType, specific uint32, cif packet.CIF) {
	p := control(kind, uint32(c.elapsed(time.Now())), c.peer, cif)
	p.Header().SubType, p.Header().TypeSpecific = sub, specific
	c.send(p)
	p.Decommission()
}

func (c *conn) send(p packet.Packet) {
	c.out = appendPacket(c.out[:0], p)
	c.spoke = time.Now()
	c.write(c.out)
}

// acknowledge sends what has come so far. Nothing new is not said again and again.
func (c *conn) acknowledge(seq circular.Number, lite bool) {
	now := time.Now()
	number, due := c.acks.next(seq.Val(), now, c.rtt.mean)
	if lite || !due {
		return
	}
	c.say(packet.CTRLTYPE_ACK, 0, number, &packet.CIFACK{
		LastACKPacketSequenceNumber: seq, RTT: uint32(c.rtt.mean.Microseconds()), RTTVar: uint32(c.rtt.deviation.Microseconds()),
		AvailableBufferSize: flowWindow,
	})
}

// report says what is missing.
func (c *conn) report(list []circular.Number) {
	c.say(packet.CTRLTYPE_NAK, 0, 0, &packet.CIFNAK{LostPacketSequenceNumber: list})
}

// acknowledged forgets what the other side has.
func (c *conn) acknowledged(p packet.Packet, now time.Time) {
	var ack packet.CIFACK
	if p.UnmarshalCIF(&ack) != nil {
		return
	}
	c.snd.ACK(ack.LastACKPacketSequenceNumber)
	if !ack.IsLite && !ack.IsSmall {
		c.say(packet.CTRLTYPE_ACKACK, 0, p.Header().TypeSpecific, nil)
	}
}

// again sends again what the other side lacks, within bounds: a report of some bytes is
// answered with all that it names.
func (c *conn) again(p packet.Packet, now time.Time) {
	st := c.snd.Stats()
	if !c.reports.allow(now) || st.ByteRetrans > st.ByteUnique+maxAgain {
		return
	}
	var nak packet.CIFNAK
	if p.UnmarshalCIF(&nak) != nil {
		return
	}
	list := nak.LostPacketSequenceNumber
	c.snd.NAK(list[:min(len(list), 2*maxRanges)])
}

// rekey takes the next key.
func (c *conn) rekey(p packet.Packet, now time.Time) {
	if c.key == nil || now.Sub(c.rekeyed) < rekeyTime {
		return
	}
	c.rekeyed = now
	var km packet.CIFKeyMaterialExtension
	if err := p.UnmarshalCIF(&km); err != nil || km.Wrap == nil {
		return
	}
	if c.key.open(&km, c.passphrase) != nil {
		return // it is not the peer's
	}
	c.say(packet.CTRLTYPE_USER, packet.EXTTYPE_KMRSP, 0, &km)
}

// destination is the socket that a datagram is for; 0 is none in particular.
func destination(b []byte) uint32 { return binary.BigEndian.Uint32(b[12:]) }
