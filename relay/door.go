package relay

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"relay/relay/hostnet"
	"relay/relay/refusal"
)

// Connections whose peer is not known yet stand at the door. Each costs a descriptor and a
// goroutine until the first message of its handshake is there as a whole, and only then the state
// of TLS. There is room for anybody who brings nothing, in place of somebody else: what strangers
// hold never keeps the next one out.

const (
	// atTheDoor is how many connections wait, for their first message to come or for their turn.
	// If there is one more, one gives way: one that has sent nothing if there is any, from the
	// prefix that has most, and the oldest of those.
	atTheDoor = 256
	// handshakes is how many are under way at a time: one that waits for its peer costs memory alone,
	// and whoever comes from fewer prefixes than this cannot take all for longer than slowAfter.
	// While all are taken, who has waited shortest comes next, of the prefix that has fewest: a share
	// for each prefix and address bites only then.
	handshakes = 128
	// firstMost bounds what is kept of a first message until its turn comes, in bytes. Our own
	// is 1.6 KB.
	firstMost = 8 << 10
	// slowAfter is when a handshake gives way to one of a prefix that has fewer, and stalledAfter
	// when it gives way to any: an honest one takes a round trip.
	slowAfter    = 250 * time.Millisecond
	stalledAfter = time.Second
	// pressEvery is how often one that waits for its turn looks for somebody who gives way.
	pressEvery = 50 * time.Millisecond
)

// Why connections were refused at the door, and links that were let in were ended.
const (
	doorTooOften refusal.Reason = "too_often" // more connections than one address may make
	doorGaveWay  refusal.Reason = "gave_way"  // others came, and this one had not said who it is
	doorSilent   refusal.Reason = "silent"    // it has not said a whole first message in time, or nothing on its link
	doorTLS      refusal.Reason = "handshake" // it speaks no TLS of ours, or stopped in the middle
	doorHello    refusal.Reason = "hello"     // what came after the handshake is of no use
	doorChannel  refusal.Reason = "channel"   // the channel that it asks for is not here
	doorVersion  refusal.Reason = "version"   // it is of a version that is not understood
	doorBusy     refusal.Reason = "busy"      // its turn did not come; or as many are dialled back as may be
	doorOffer    refusal.Reason = "offer"     // it offers itself as a parent, and none is wanted or it may not
	doorProtocol refusal.Reason = "protocol"  // on its link came what does not parse, is not due, or comes too often
	doorForged   refusal.Reason = "forged"    // it shows another epoch, or another source, without a proof of it
	doorStuck    refusal.Reason = "stuck"     // it did not take what it was sent
)

// turnedAwayError is why somebody was turned away at the door, in words and by reason.
type turnedAwayError struct {
	error
	why refusal.Reason
}

func (e *turnedAwayError) Unwrap() error { return e.error }

// refuse gives an error the reason by which it counts; nil stays nil.
func refuse(why refusal.Reason, err error) error {
	if err == nil {
		return nil
	}
	return &turnedAwayError{err, why}
}

// turnedAway counts what became of one that was not let in. Who gave way was counted then.
func (d *door) turnedAway(v *visitor, err error) {
	d.mu.Lock()
	over := v.stage == gone
	d.mu.Unlock()
	if e, ok := errors.AsType[*turnedAwayError](err); ok && !over {
		d.refused.Add(e.why)
	}
}

var errGaveWay = errors.New("it gave way to others before it had said who it is")

// stage is how far a visitor has come.
type stage uint8

const (
	silent   stage = iota // nothing has come
	speaking              // a part of its first message
	ready                 // all of that: it waits for its turn
	shaking               // its handshake is under way
	known                 // it is let in, or waits for what has a bound of its own
	gone
)

// visitor is a connection at the door.
type visitor struct {
	conn net.Conn
	addr netip.Prefix  // what counts as one address
	net  netip.Prefix  // its /24, or /48
	turn chan struct{} // closed when its handshake may begin
	away chan struct{} // closed when it gave way

	// Guarded by the door's mutex.
	stage stage
	since time.Time // of shaking
}

// door is the connections whose peers are not known. Its zero value is ready.
type door struct {
	refused refusal.Counts

	mu       sync.Mutex
	visitors []*visitor // those that are not gone, the oldest first
	pressed  time.Time  // when one that waits looked last
}

// enter takes a connection in, and has another give way if there are too many.
func (d *door) enter(conn net.Conn, from netip.Addr) *visitor {
	v := &visitor{conn: conn, turn: make(chan struct{}), away: make(chan struct{})}
	v.addr, v.net = hostnet.Counted(from)
	d.mu.Lock()
	d.visitors = append(d.visitors, v)
	var out *visitor
	for _, st := range []stage{silent, speaking, ready} {
		if out != nil || d.count(waiting) <= atTheDoor {
			break
		}
		out = d.crowded(func(o *visitor) bool { return o.stage == st && o != v })
	}
	d.remove(out)
	d.mu.Unlock()
	d.turnAway(out)
	return v
}

func waiting(v *visitor) bool { return v.stage <= ready }

func (d *door) count(which func(*visitor) bool) (n int) {
	for _, v := range d.visitors {
		if which(v) {
			n++
		}
	}
	return n
}

// load is how many of some visitors share a prefix, and an address.
type load struct{ net, addr int }

func (l load) less(o load) bool { return l.net < o.net || l.net == o.net && l.addr < o.addr }

// lessOfAddress is less, but by the address first.
func (l load) lessOfAddress(o load) bool { return l.addr < o.addr || l.addr == o.addr && l.net < o.net }

// loads counts some of the visitors by prefix and address.
func (d *door) loads(which func(*visitor) bool) func(*visitor) load {
	of := make(map[netip.Prefix]int, 2*len(d.visitors))
	addrs := make(map[netip.Prefix]int, len(d.visitors))
	for _, v := range d.visitors {
		if which(v) {
			of[v.net]++
			addrs[v.addr]++
		}
	}
	return func(v *visitor) load { return load{of[v.net], addrs[v.addr]} }
}

// crowded is the oldest of the visitors that may be meant whose prefix and address have most.
func (d *door) crowded(which func(*visitor) bool) *visitor {
	of := d.loads(which)
	var most *visitor
	for _, v := range d.visitors {
		if which(v) && (most == nil || of(most).less(of(v))) {
			most = v
		}
	}
	return most
}

// remove takes a visitor from the door; nil for none. It reports whether it was there.
func (d *door) remove(v *visitor) bool {
	if v == nil || v.stage == gone {
		return false
	}
	v.stage = gone
	d.visitors = slices.DeleteFunc(d.visitors, func(o *visitor) bool { return o == v })
	return true
}

// turnAway ends the connection of one that was removed in favour of others; nil for none.
func (d *door) turnAway(v *visitor) {
	if v == nil {
		return
	}
	d.refused.Add(doorGaveWay)
	close(v.away)
	v.conn.Close()
}

// spoke says that the first bytes of a visitor have come.
func (d *door) spoke(v *visitor) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if v.stage == silent {
		v.stage = speaking
	}
}

// await waits for a visitor's turn, after its first message has come: as long as a handshake may take.
func (d *door) await(ctx context.Context, v *visitor) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	d.mu.Lock()
	if v.stage <= speaking {
		v.stage = ready
	}
	d.mu.Unlock()
	d.press(time.Now())
	again := time.NewTicker(pressEvery)
	defer again.Stop()
	for {
		select {
		case <-v.turn:
			return nil
		case <-v.away:
			return errGaveWay
		case <-ctx.Done():
			return context.Cause(ctx)
		case now := <-again.C:
			d.again(now)
		}
	}
}

// again is press, for all that wait as often as for one.
func (d *door) again(now time.Time) {
	d.mu.Lock()
	due := now.Sub(d.pressed) >= pressEvery
	if due {
		d.pressed = now
	}
	d.mu.Unlock()
	if due {
		d.press(now)
	}
}

// press lets those in whose turn it is. If there is no room, one gives way that takes long.
func (d *door) press(now time.Time) {
	d.mu.Lock()
	var out *visitor
	for next := d.next(load.less); next != nil; next = d.next(load.less) {
		if d.count(isShaking) >= handshakes {
			if out != nil {
				break
			}
			if next, out = d.exchange(now, next); out == nil {
				break
			}
			d.remove(out)
		}
		next.stage, next.since = shaking, now
		close(next.turn)
	}
	d.mu.Unlock()
	d.turnAway(out)
}

func isShaking(v *visitor) bool { return v.stage == shaking }

// next is who comes next: the newest of those whose prefix and address have the fewest
// handshakes; nil if nobody waits.
func (d *door) next(less func(a, b load) bool) *visitor {
	of := d.loads(isShaking)
	var next *visitor
	for _, v := range slices.Backward(d.visitors) {
		if v.stage == ready && (next == nil || less(of(v), of(next))) {
			next = v
		}
	}
	return next
}

// exchange is who comes in, and whose handshake gives way to that; nil for nobody's. That is the next one,
// or else one whose prefix is crowded by others of it.
func (d *door) exchange(now time.Time, next *visitor) (in, out *visitor) {
	for _, in := range []*visitor{next, d.next(load.lessOfAddress)} {
		if out := d.crowded(d.slow(now, in)); out != nil {
			return in, out
		}
	}
	return next, d.crowded(func(v *visitor) bool { return isShaking(v) && now.Sub(v.since) >= stalledAfter })
}

// slow is whose handshakes take long, where another's prefix or address would still have fewer.
func (d *door) slow(now time.Time, in *visitor) func(v *visitor) bool {
	of := d.loads(isShaking)
	return func(v *visitor) bool {
		after := of(in) // if it were let in, in place of v
		after.addr++
		if v.net != in.net {
			after.net++
		}
		return isShaking(v) && now.Sub(v.since) >= slowAfter && after.less(of(v))
	}
}

// know says that a visitor does not give way any more: it is let in now, or is one of those for whom
// there is a bound of its own.
func (d *door) know(v *visitor) {
	d.mu.Lock()
	if v.stage == shaking {
		v.stage = known
	}
	d.mu.Unlock()
	d.press(time.Now())
}

// leave takes a visitor from the door.
func (d *door) leave(v *visitor) {
	d.mu.Lock()
	d.remove(v)
	d.mu.Unlock()
	d.press(time.Now())
}
