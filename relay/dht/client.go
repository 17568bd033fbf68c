package dht

import (
	"context"
	"crypto/ed25519"
	crand "crypto/rand"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"relay/relay/refusal"
	"relay/relay/seal"
	"relay/relay/stream"
)

const (
	// lookups is how many look-ups there are at a time, and lookupTime how long one may take: sixty
	// questions, four at a time, that nobody answers take as long.
	lookups    = 2
	lookupTime = 30 * time.Second
	// paceMost packets are sent in any paceTime, by all look-ups together.
	paceMost = 20
	paceTime = time.Second
	// resolveTime bounds the look-up of one router's name.
	resolveTime = 3 * time.Second
	// enough is how many nodes have to have answered for routers not to be asked.
	enough = 4
	// maxNewest bounds the channels of which it is known how new their newest item was.
	maxNewest = 256
)

// routers are nodes that lead newcomers to others: those of the programs that most nodes are.
var routers = []string{
	"router.bittorrent.com:6881", "dht.transmissionbt.com:6881", "dht.libtorrent.org:25401", "router.utorrent.com:6881", "dht.aelitis.com:6881",
}

var (
	// ErrNotFound says that nodes have answered, and none has an item of the channel.
	ErrNotFound = errors.New("the DHT has nothing of this channel")
	// ErrNobody says that no node has answered.
	ErrNobody = errors.New("no node of the DHT answers")
)

// Config says how a Client works. Its zero value does.
type Config struct {
	Nodes *Nodes // with which to begin; nil for none
	// Bootstrap are host:port of nodes to begin with, instead of the routers of the public DHT.
	Bootstrap []string
	// Private takes nodes with addresses of one network alone, for networks that have a DHT of their own.
	Private bool
	Refused *refusal.Counts // nil if nobody counts
	// Listen and Resolve replace those of package net in tests.
	Listen  func() (net.PacketConn, error)
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Client looks channels up, and says where they are. It sends nothing unless it is asked to, and has no
// goroutine of its own. It is safe for concurrent use.
type Client struct {
	cfg   Config
	turns chan struct{} // one for each look-up that is under way

	mu     sync.Mutex
	pace   pace
	newest map[ID]int64 // the highest number of a record that was found
}

// New returns a Client.
func New(cfg Config) *Client {
	if cfg.Nodes == nil {
		cfg.Nodes = &Nodes{}
	}
	if cfg.Listen == nil {
		cfg.Listen = func() (net.PacketConn, error) { return net.ListenPacket("udp", ":0") }
	}
	if cfg.Resolve == nil {
		cfg.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	return &Client{cfg: cfg, turns: make(chan struct{}, lookups), newest: make(map[ID]int64)}
}

// Nodes returns the nodes that it knows, for the next run and for other nodes.
func (c *Client) Nodes() *Nodes { return c.cfg.Nodes }

// Told takes in nodes that another node of a channel has told.
func (c *Client) Told(all []netip.AddrPort) { c.cfg.Nodes.Told(all, c.cfg.Private) }

// Find looks a channel's item up. early, if not nil, is called with each item that is newer than those
// before, while the look-up goes on: what it returns in the end is the newest. The error is [ErrNotFound],
// [ErrNobody], that of ctx, or the system's.
func (c *Client) Find(ctx context.Context, id stream.ChannelID, access seal.Access, early func(Found)) (Found, error) {
	ch := channel{id, access.Finding(id)}
	var best Found
	ok := false
	w, err := c.look(ctx, ch, func(r Record) {
		it, err := parseItem(r.value, ch, r.seq)
		if err != nil {
			c.cfg.Refused.Add(refusedValue)
			return
		}
		if best, ok = (Found{it, r}), true; early != nil {
			early(best)
		}
	})
	switch {
	case ok: // even if not all were asked
		return best, nil
	case err != nil:
		return Found{}, err
	case w.answers == 0:
		return Found{}, ErrNobody
	}
	return Found{}, ErrNotFound
}

// Publish has the nodes nearest to it keep an item. It returns how many have said so; the error is as that of
// Find. The item's number is when it was made, in Unix ms, or more if one is there already.
func (c *Client) Publish(ctx context.Context, key ed25519.PrivateKey, access seal.Access, it Item) (Found, int, error) {
	ch := channel{stream.IDOf(key), access.Finding(stream.IDOf(key))}
	return c.store(ctx, ch, func(newest *Record) (Record, bool) {
		seq := max(it.Made.UnixMilli(), c.floor(ch.name().target())+1) // whoever has seen what this client has takes nothing below
		if newest != nil {
			seq = max(seq, newest.seq+1)
		}
		return sign(key, ch.name().salt, seq, it.append(nil, ch, seq)), true
	})
}

// Renew has them keep what was found as it is, unless there is something newer, which it returns then. It
// takes no key: an item proves itself.
func (c *Client) Renew(ctx context.Context, access seal.Access, f Found) (Found, int, error) {
	id := stream.ChannelID(f.record.name.key)
	return c.store(ctx, channel{id, access.Finding(id)}, func(newest *Record) (Record, bool) {
		if newest != nil && newest.seq > f.record.seq {
			return *newest, false
		}
		return f.record, true
	})
}

// store looks for a record, makes another of it, and has that kept if it is to be.
func (c *Client) store(ctx context.Context, ch channel, of func(newest *Record) (r Record, put bool)) (Found, int, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	var r Record
	put := false
	w, err := c.walk(ctx, ch.name(), func(Record) {}, func(w *walk) {
		if r, put = of(w.newest); put {
			w.keep(r)
		}
	})
	if err != nil {
		return Found{}, 0, err
	}
	if w.answers == 0 {
		return Found{}, 0, ErrNobody
	}
	it, err := parseItem(r.value, ch, r.seq)
	if err != nil {
		c.cfg.Refused.Add(refusedValue)
		return Found{}, 0, ErrNotFound
	}
	c.note(ch.name().target(), r.seq)
	return Found{it, r}, w.stored, nil
}

func (c *Client) look(ctx context.Context, ch channel, newer func(Record)) (*walk, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	return c.walk(ctx, ch.name(), newer, nil)
}

// walk goes to the nodes nearest to a record. newer is called with each that is newer than those before;
// then, if it is not nil, is called at the end and may go on with w.keep.
func (c *Client) walk(ctx context.Context, of name, newer func(Record), then func(*walk)) (*walk, error) {
	select {
	case c.turns <- struct{}{}:
		defer func() { <-c.turns }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	conn, err := c.cfg.Listen()
	if err != nil {
		return nil, err
	}
	in := make(chan datagram)
	var reading sync.WaitGroup
	done := make(chan struct{})
	reading.Go(func() { c.read(conn, in, done) }) // ends when conn is closed
	defer reading.Wait()
	defer close(done)
	defer conn.Close()

	var self ID
	_, _ = crand.Read(self[:]) // never fails; another with each look-up, so that nobody knows us again
	w := newWalk(of, self, c.cfg.Private, randomTxn, c.cfg.Refused)
	w.floor = c.floor(w.target)
	for _, n := range c.cfg.Nodes.begin(w.target) {
		w.begin(n, false)
	}
	d := driver{c: c, w: w, conn: conn, in: in, newer: newer}
	err = d.run(ctx)
	if err == nil && w.answers < enough {
		c.bootstrap(ctx, w)
		err = d.run(ctx)
	}
	if err == nil && then != nil {
		if then(w); w.put != nil {
			err = d.run(ctx)
		}
	}
	if w.newest != nil {
		c.note(w.target, w.newest.seq)
	}
	c.learned(w)
	return w, err
}

// bootstrap begins at the nodes that the user has named, or at routers.
func (c *Client) bootstrap(ctx context.Context, w *walk) {
	of, leads := c.cfg.Bootstrap, false
	if len(of) == 0 {
		of, leads = routers, true
	}
	found := make([][]contact, len(of))
	var all sync.WaitGroup
	for i, at := range of {
		all.Go(func() { found[i] = c.resolve(ctx, at) }) // ends after resolveTime
	}
	all.Wait()
	for _, cs := range found {
		for _, n := range cs {
			w.begin(n, leads)
		}
	}
}

// resolve returns the first address of each family of a host:port.
func (c *Client) resolve(ctx context.Context, at string) (cs []contact) {
	host, service, err := net.SplitHostPort(at)
	if err != nil {
		return nil
	}
	port, err := net.LookupPort("udp", service)
	if err != nil {
		return nil
	}
	ips := []netip.Addr{}
	if ip, err := netip.ParseAddr(host); err == nil {
		ips = append(ips, ip)
	} else {
		ctx, cancel := context.WithTimeout(ctx, resolveTime)
		defer cancel()
		ips, _ = c.cfg.Resolve(ctx, host) // who cannot be found is not asked
	}
	for _, is4 := range []bool{true, false} {
		if i := slices.IndexFunc(ips, func(ip netip.Addr) bool { return ip.Unmap().Is4() == is4 }); i >= 0 {
			cs = append(cs, contact{at: netip.AddrPortFrom(ips[i].Unmap(), uint16(port))})
		}
	}
	return cs
}

// learned keeps what a look-up has taught of nodes. If nobody has answered, that says nothing of them.
func (c *Client) learned(w *walk) {
	if w.answers == 0 {
		return
	}
	for _, f := range w.families {
		for _, p := range f.known {
			if p.state == failed {
				c.cfg.Nodes.gone(p.at)
			}
		}
	}
	c.cfg.Nodes.answered(w.found())
}

// floor is the lowest number that a record may have now.
func (c *Client) floor(target ID) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.newest[target]
}

func (c *Client) note(target ID, seq int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.newest) >= maxNewest {
		clear(c.newest)
	}
	c.newest[target] = max(c.newest[target], seq)
}

// datagram is a packet that has come.
type datagram struct {
	from   netip.AddrPort
	packet []byte
}

// read hands on what comes, until conn is closed.
func (c *Client) read(conn net.PacketConn, in chan<- datagram, done <-chan struct{}) {
	b := make([]byte, maxPacket+1)
	for {
		n, from, err := conn.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // as where a packet of ours found nobody
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
			continue
		}
		if n > maxPacket {
			c.cfg.Refused.Add(refusedTooLong)
			continue
		}
		udp, ok := from.(interface{ AddrPort() netip.AddrPort })
		if !ok {
			continue
		}
		at := udp.AddrPort()
		select {
		case in <- datagram{netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), slices.Clone(b[:n])}:
		case <-done:
			return
		}
	}
}

// driver sends what a walk has to send, and tells it what comes.
type driver struct {
	c     *Client
	w     *walk
	conn  net.PacketConn
	in    <-chan datagram
	newer func(Record)
}

// run goes on until the walk has nothing more to do, or ctx ends.
func (d *driver) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		paced := d.send()
		wait, more := d.w.wait(time.Now())
		if !more {
			return nil
		}
		if paced > 0 {
			wait = min(wait, paced)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		case got := <-d.in:
			if d.w.take(time.Now(), got.from, got.packet) {
				d.newer(*d.w.newest)
			}
		}
	}
}

// send sends what may be sent now, and returns how long to wait if more could be.
func (d *driver) send() time.Duration {
	for now := time.Now(); d.w.ready(now); {
		if wait := d.c.turn(now); wait > 0 {
			return wait
		}
		to, packet := d.w.next(now, nil)
		if _, err := d.conn.WriteTo(packet, net.UDPAddrFromAddrPort(to)); err != nil {
			d.w.unsent(to)
		}
	}
	return 0
}

// turn takes a packet's turn, or returns how long there is none.
func (c *Client) turn(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pace.turn(now)
}

// pace is when the last packets were sent.
type pace struct {
	last [paceMost]time.Time
	at   int
}

func (p *pace) turn(now time.Time) time.Duration {
	if wait := p.last[p.at].Add(paceTime).Sub(now); wait > 0 && !p.last[p.at].IsZero() {
		return wait
	}
	p.last[p.at] = now
	p.at = (p.at + 1) % paceMost
	return 0
}

func randomTxn() (t txn) {
	_, _ = crand.Read(t[:]) // never fails
	return t
}
