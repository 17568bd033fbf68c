package discovery

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"relay/relay/hostnet"
	"relay/relay/multicast"
	"relay/relay/refusal"
)

const (
	// strangeLeast is how soon the interfaces are looked at again for a query that comes
	// from nowhere known.
	strangeLeast = 250 * time.Millisecond
	// channelsAge is how long the list of channels is told without asking for it anew.
	channelsAge = 100 * time.Millisecond
)

// Responder answers those who look for channels.
type Responder struct {
	// Link is where the node takes links; required. If it is bound to one address,
	// those alone are answered who can reach that.
	Link netip.AddrPort
	// Channels lists what the node carries; required. It is called for queries, ten
	// times a second at most, and must not block.
	Channels func() []Channel
	Port     uint16 // to listen on; DefaultPort if 0
	// Interfaces are the names of those to answer on; all that are up if empty.
	Interfaces []string
	Log        *zap.Logger // nil for none
	// Refused counts queries that are not answered; nil for nobody who wants to know.
	Refused *refusal.Counts
}

// Why a query is not answered.
const (
	refusedPacket  refusal.Reason = "malformed" // it is no query of relay's
	refusedFrom    refusal.Reason = "elsewhere" // it comes from no subnet of this machine's: an answer there may hit somebody else
	refusedTooMany refusal.Reason = "too_often" // more than one address may ask, or all together
	refusedPace    refusal.Reason = "flood"     // more packets came than are looked at
)

// Run answers until ctx ends. It fails if the port cannot be opened at all, as when a
// program has it that does not share.
func (r Responder) Run(ctx context.Context) error {
	if r.Port == 0 {
		r.Port = DefaultPort
	}
	if r.Log == nil {
		r.Log = zap.NewNop()
	}
	d := newDesk(r)
	var errs []error
	for _, g := range groups {
		e, err := multicast.Listen(ctx, g, r.Port)
		if err != nil {
			errs = append(errs, err)
			r.Log.Debug("cannot answer those who look for channels", zap.Stringer("group", g), zap.Error(err))
			continue
		}
		d.ears = append(d.ears, e)
	}
	if len(d.ears) == 0 && ctx.Err() == nil {
		return errors.Join(errs...)
	}
	var wg sync.WaitGroup
	for _, e := range d.ears {
		wg.Go(func() { d.read(e) }) // ends when the socket is closed
	}
	hostnet.Watch(ctx, func() { d.look(time.Now()) })
	for _, e := range d.ears {
		e.Close()
	}
	wg.Wait()
	return nil
}

// desk is one run of a responder.
type desk struct {
	Responder
	ears []*multicast.Socket

	mu         sync.Mutex
	limits     *limits
	ifs        []multicast.Interface
	looked     time.Time
	channels   []Channel
	channelsAt time.Time
}

func newDesk(r Responder) *desk {
	return &desk{Responder: r, limits: newLimits()}
}

// look lists the interfaces and joins the groups on those that are new, or have other
// addresses: they may have been away, and the system has then forgotten that we were in.
func (d *desk) look(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lookLocked(now)
}

func (d *desk) lookLocked(now time.Time) {
	d.looked = now
	ifs, err := multicast.Interfaces(d.Interfaces)
	if err != nil {
		d.Log.Debug("cannot list the interfaces", zap.Error(err))
		return // the old list is the best there is
	}
	d.ifs = ifs
	for _, e := range d.ears {
		_, failed := e.Follow(ifs)
		for _, err := range failed {
			d.Log.Debug("cannot join a group", zap.Stringer("group", e.Group), zap.Error(err))
		}
	}
}

// read answers what comes to one socket, until that is closed.
func (d *desk) read(e *multicast.Socket) {
	const size = PacketSize + 1 // one more shows what is too long
	e.Serve(size, func() { d.Refused.Add(refusedPace) }, func(b []byte, from netip.AddrPort, index int) {
		q, err := parseQuery(b)
		if err != nil {
			d.Refused.Add(refusedPacket)
			return
		}
		reply, src, index := d.answer(time.Now(), q, from, index)
		if reply == nil {
			return
		}
		if err := e.Reply(reply, from, index, src); err != nil {
			d.Log.Debug("cannot answer", zap.Stringer("to", from), zap.Error(err))
		}
	})
}

// answer is what a query gets, nil for nothing; the address to send it from, and the
// interface to send it by. index is the one that the query came in by, 0 if not known.
func (d *desk) answer(now time.Time, q query, from netip.AddrPort, index int) (b []byte, src netip.Addr, by int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if from.Port() == 0 {
		return nil, src, 0
	}
	src, by = d.local(from.Addr(), index)
	if !src.IsValid() && now.Sub(d.looked) >= strangeLeast {
		d.lookLocked(now) // the interface may have come just now
		src, by = d.local(from.Addr(), index)
	}
	if !src.IsValid() {
		d.Refused.Add(refusedFrom)
		return nil, src, 0
	}
	if again, ok := d.limits.allow(now, from.Addr(), d.own(from.Addr()), q); !ok {
		if !again {
			d.Refused.Add(refusedTooMany)
		}
		return nil, src, 0
	}
	if now.Sub(d.channelsAt) >= channelsAge || d.channelsAt.IsZero() {
		d.channels, d.channelsAt = d.Channels(), now
	}
	if len(d.channels) == 0 {
		return nil, src, 0
	}
	b, _ = answer{nonce: q.nonce, port: d.Link.Port(), channels: page(d.channels, q.round)}.append(nil)
	return b, src, by
}

// local is this machine's address in the asker's subnet, on the interface that the
// query came in by; not valid for one that is not answered.
func (d *desk) local(from netip.Addr, index int) (netip.Addr, int) {
	bound := d.Link.Addr().Unmap().WithZone("")
	for _, i := range d.ifs {
		if index != 0 && i.Index != index {
			continue
		}
		a := i.Local(from)
		if a.IsValid() && (!bound.IsValid() || bound.IsUnspecified() || a == bound) {
			return a, index
		}
	}
	return netip.Addr{}, 0
}

// own reports whether an address is this machine's.
func (d *desk) own(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return a.IsLoopback() || slices.ContainsFunc(d.ifs, func(i multicast.Interface) bool {
		return slices.ContainsFunc(i.Prefixes, func(p netip.Prefix) bool { return p.Addr() == a })
	})
}

// page is the channels in the order in which one round tells them: those that the
// round before had no room for come first.
func page(all []Channel, round uint8) []Channel {
	at := 0
	for range round {
		_, n := answer{channels: turned(all, at)}.append(nil)
		if n == len(all) {
			return all
		}
		if at += max(n, 1); at >= len(all) {
			at = 0
		}
	}
	return turned(all, at)
}

func turned(all []Channel, at int) []Channel {
	if at == 0 {
		return all
	}
	return append(slices.Clone(all[at:]), all[:at]...)
}
