package rtp

import (
	"bytes"
	"time"
)

const (
	// window is how many packets may wait for one that is missing: 1.6 s at 6 Mb/s.
	window = 1024
	// heldMost bounds what waits, in bytes.
	heldMost = 2 << 20
	// patience is how long a packet is waited for. It is asked for again as soon as one behind it has come, so
	// that is time for two answers from far away; nothing is late by it but where something is lost.
	patience = 300 * time.Millisecond
)

// order puts packets into the order of their numbers.
type order struct {
	begun  bool
	next   uint16 // the number of the packet that is to come
	held   []held // by number modulo window; nil while nothing ever waited
	count  int
	bytes  int
	gap    time.Duration // since when next is missing, while count > 0
	lost   bool          // something in front of next will not come
	astray bool          // far is known
	far    uint16        // what would follow a packet that is far away from all
}

type held struct {
	Packet
	here bool
}

// add takes a packet that came at a time, and has take get those whose turn it is. missing says that something is, right
// in front. A payload is good until take returns.
func (o *order) add(p Packet, at time.Duration, take func(p Packet, missing bool)) {
	if !o.begun {
		o.begun, o.next = true, p.Seq
	}
	switch ahead := int16(p.Seq - o.next); {
	case ahead >= window || ahead < -window:
		if !o.astray || p.Seq != o.far { // one that is astray, unless another follows it (RFC 3550, A.1)
			o.astray, o.far = true, p.Seq+1
			return
		}
		o.skip(take)
		*o = order{begun: true, next: p.Seq, held: o.held, lost: true}
		o.give(p, take)
	case ahead < 0:
		return // it came already, or too late
	case ahead == 0:
		o.astray = false
		o.give(p, take)
		o.follow(at, take)
	default:
		o.astray = false
		o.hold(p, at)
		for o.bytes > heldMost {
			o.pass(at, take)
		}
	}
}

// expire has those go on that have waited long enough at a time.
func (o *order) expire(at time.Duration, take func(p Packet, missing bool)) {
	for o.count > 0 && at-o.gap >= patience {
		o.pass(at, take)
	}
}

func (o *order) give(p Packet, take func(Packet, bool)) {
	missing := o.lost
	o.lost = false
	o.next = p.Seq + 1
	take(p, missing)
}

func (o *order) hold(p Packet, at time.Duration) {
	if o.held == nil {
		o.held = make([]held, window)
	}
	h := &o.held[p.Seq%window]
	if h.here {
		return
	}
	if o.count == 0 {
		o.gap = at
	}
	p.Payload = bytes.Clone(p.Payload)
	*h = held{p, true}
	o.count++
	o.bytes += len(p.Payload)
}

// follow gives those that follow one another.
func (o *order) follow(at time.Duration, take func(Packet, bool)) {
	for o.count > 0 && o.held[o.next%window].here {
		h := &o.held[o.next%window]
		p := h.Packet
		*h = held{}
		o.count--
		o.bytes -= len(p.Payload)
		o.give(p, take)
		o.gap = at // for another that is missing
	}
}

// pass gives up what is missing.
func (o *order) pass(at time.Duration, take func(Packet, bool)) {
	for !o.held[o.next%window].here {
		o.next++
	}
	o.lost = true
	o.follow(at, take)
}

// skip gives all that waits.
func (o *order) skip(take func(Packet, bool)) {
	for o.count > 0 {
		o.pass(o.gap, take)
	}
}
