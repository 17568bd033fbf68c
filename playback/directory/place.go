package directory

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"relay/relay/hostnet"
	"relay/relay/stream"
)

// linkScheme begins links.
const linkScheme = "relay://"

// link is the link to a channel at some places.
func link(id stream.ChannelID, at []netip.AddrPort) string {
	s := linkScheme + id.String() + "@"
	for i, a := range at {
		if i > 0 {
			s += ","
		}
		s += a.String()
	}
	return s
}

const (
	// probeTime bounds a dial-back, to all places.
	probeTime = 5 * time.Second
	// probeStagger is how long one place has before the next is tried too, and probeAfter how long the others have when
	// one has answered: a link is good with both families of addresses in it.
	probeStagger = 250 * time.Millisecond
	probeAfter   = time.Second
	// probesMost is how many places of an announcement are tried, and probesAtOnce how many announcements at a time.
	probesMost   = 4
	probesAtOnce = 64
	// synBytes is what it costs to knock where nobody answers within probeTime: four SYNs with their headers.
	synBytes = 4 * 60
)

// ErrOther is the error of a probe that reached a relay which does not carry the channel.
var ErrOther = errors.New("the relay there does not carry the channel")

// Probe asks the relay at a place whether it carries a channel, and returns nil if it does. Connections are made by dial
// alone, which bounds what goes out.
type Probe func(ctx context.Context, id stream.ChannelID, at netip.AddrPort, dial Dial) error

// Dial is [net.Dialer.DialContext], or in place of it.
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)

// meter bounds what is sent to places that have not said anything, in bytes: so nobody has a directory send to somebody
// else more than they send themselves.
type meter struct {
	left atomic.Int64
	dial Dial
}

var errMeter = errors.New("no more may be sent to who does not answer")

func (m *meter) take(n int) bool {
	if m.left.Add(int64(-n)) >= 0 {
		return true
	}
	m.left.Add(int64(n))
	return false
}

// Dial connects, if that is paid for.
func (m *meter) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if !m.take(synBytes) {
		return nil, errMeter
	}
	conn, err := m.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &meteredConn{Conn: conn, meter: m, spent: synBytes}, nil
}

// meteredConn gives back what it has cost when something comes.
type meteredConn struct {
	net.Conn
	meter *meter
	mu    sync.Mutex
	spent int
	heard bool
}

func (c *meteredConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	if !c.heard {
		if !c.meter.take(len(b)) {
			c.mu.Unlock()
			return 0, errMeter
		}
		c.spent += len(b)
	}
	c.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *meteredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.mu.Lock()
		if !c.heard {
			c.heard = true
			c.meter.left.Add(int64(c.spent))
		}
		c.mu.Unlock()
	}
	return n, err
}

// probed is what came of a dial-back.
type probed struct {
	checked []netip.AddrPort // places at which the channel answered
	err     error            // of one that did not: [ErrOther], [errMeter] or any other
}

// probeAll tries some places, each a little after the one before.
func probeAll(ctx context.Context, probe Probe, id stream.ChannelID, places []netip.AddrPort, m *meter) (p probed) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	type result struct {
		at  netip.AddrPort
		err error
	}
	results := make(chan result, len(places)) // never blocks those who try
	try := func(at netip.AddrPort) { results <- result{at, probe(ctx, id, at, m.Dial)} }
	next := time.NewTimer(0)
	defer next.Stop()
	var enough <-chan time.Time
	for begun, ended := 0, 0; ended < len(places); {
		select {
		case <-next.C:
			if begun < len(places) {
				go try(places[begun]) // ends with ctx
				begun++
				next.Reset(probeStagger)
			}
		case <-enough:
			return p
		case r := <-results:
			ended++
			switch {
			case r.err == nil:
				p.checked = append(p.checked, r.at)
				if enough == nil {
					enough = time.After(probeAfter)
				}
			case p.err == nil || errors.Is(r.err, ErrOther) || errors.Is(p.err, errMeter):
				p.err = r.err
			}
			next.Reset(0)
		}
	}
	return p
}

// near is what a directory knows of its own networks.
type near interface {
	Near(now time.Time, a netip.Addr) bool
	ForAll(now time.Time, a netip.Addr) bool
}

// mayDial reports whether a place of which somebody tells may be dialled for them: one of the Internet; one of a
// network that the directory and whoever tells are both in; one of this machine for who is on it. Never what is for many,
// or a data centre's service for its own machines.
func mayDial(n near, now time.Time, who asker, at netip.AddrPort) bool {
	a := at.Addr()
	if hostnet.Nowhere(a) || n.ForAll(now, a) {
		return false
	}
	switch _, inside := hostnet.Inside(a); {
	case !inside:
		return true
	case a.IsLoopback():
		return who.here
	}
	return n.Near(now, a) && (who.here || !who.addr.IsLoopback() && n.Near(now, who.addr))
}

// toTry chooses places to dial: both families, in the order in which they are told.
func toTry(places []netip.AddrPort) (some []netip.AddrPort) {
	first := slices.IndexFunc(places, func(a netip.AddrPort) bool { return a.Addr().Is4() != places[0].Addr().Is4() })
	some = append(some, places...)
	if first > 1 {
		some = slices.Insert(slices.Delete(some, first, first+1), 1, places[first])
	}
	return some[:min(len(some), probesMost)]
}
