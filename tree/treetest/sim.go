// Package treetest runs whole trees in virtual time: real [tree.Node]s, a network
// with delays, and faults. Nothing in it waits, and everything random comes from one
// seed, so that a run can be repeated to the last byte of its trace.
package treetest

import (
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"time"

	"relay/tree"
)

// dialTime is how long a dial waits for a host that does not answer.
const dialTime = 3 * time.Second

// Config describes a network. Its zero value has 5 ms between any two hosts.
type Config struct {
	Seed uint64
	// MinDelay and MaxDelay bound the one-way delay between two hosts, drawn once per
	// pair and direction.
	MinDelay, MaxDelay time.Duration
	// Loss is the share of messages that have to be sent again: they, and all that
	// follow on their connection, come RTO later.
	Loss float64
	// Trace receives a line for everything that a node is told to do.
	Trace io.Writer
}

// rto is how much later a message comes that has to be sent again.
const rto = 200 * time.Millisecond

// Sim is one network and its hosts.
type Sim struct {
	cfg    Config
	rand   *rand.Rand
	start  time.Time
	now    time.Time
	queue  queue
	order  uint64
	hosts  []*Host
	byAddr map[netip.AddrPort]*Host
	delays map[[2]int]time.Duration
	cuts   map[[2]int]time.Time // one-way, until when
	epoch  uint64

	// Commits counts moves below a parent, first ones included.
	Commits int
	err     error
}

// Host is one machine with one process.
type Host struct {
	Index int
	Place tree.Place
	Slots int
	Root  bool

	// Node is the process, nil if Fake plays its part.
	Node *tree.Node
	// Fake, if set, is told everything a node would be and answers with what to do.
	Fake func(now time.Time, ev tree.Event) []tree.Action

	sim     *Sim
	seeds   []tree.Place
	run     int // counts processes: what was meant for an earlier one is lost
	alive   bool
	off     bool // the machine is dead, not just the process: it does not even refuse
	frozen  bool
	left    bool
	backlog []tree.Event
	wake    uint64 // counts timers: only the newest counts
	inbound tree.Link
	conns   map[tree.Link]*conn
	dials   map[tree.Link]bool
	parent  tree.Link // of the committed parent, 0 for none
	orphan  time.Time // since when there is none
	over    time.Time // since when there are more children than slots, zero if there are not
}

// conn is a connection; end 0 dialled.
type conn struct {
	ends   [2]*Host
	runs   [2]int
	links  [2]tree.Link
	last   [2]time.Time // when the newest message from that end arrives
	closed [2]bool
}

type item struct {
	at    time.Time
	order uint64
	f     func()
}

type queue []item

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(item)) }
func (q queue) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].order < q[j].order
}

func (q *queue) Pop() any {
	old := *q
	it := old[len(old)-1]
	old[len(old)-1] = item{}
	*q = old[:len(old)-1]
	return it
}

// New returns an empty network.
func New(cfg Config) *Sim {
	if cfg.MaxDelay == 0 {
		cfg.MinDelay, cfg.MaxDelay = 5*time.Millisecond, 5*time.Millisecond
	}
	start := time.Unix(1_700_000_000, 0)
	return &Sim{
		cfg:    cfg,
		rand:   rand.New(rand.NewPCG(cfg.Seed, 1)),
		start:  start,
		now:    start,
		byAddr: make(map[netip.AddrPort]*Host),
		delays: make(map[[2]int]time.Duration),
		cuts:   make(map[[2]int]time.Time),
	}
}

// Rand is the network's source of randomness.
func (s *Sim) Rand() *rand.Rand { return s.rand }

// Now is the time in the network.
func (s *Sim) Now() time.Time { return s.now }

// Hosts are all hosts, in the order in which they were added.
func (s *Sim) Hosts() []*Host { return s.hosts }

// Err is the first invariant that was broken, nil if none was.
func (s *Sim) Err() error { return s.err }

// After calls f when d has passed.
func (s *Sim) After(d time.Duration, f func()) { s.at(s.now.Add(d), f) }

func (s *Sim) at(t time.Time, f func()) {
	s.order++
	heap.Push(&s.queue, item{t, s.order, f})
}

// Run lets d pass, or stops early at the first broken invariant.
func (s *Sim) Run(d time.Duration) error {
	end := s.now.Add(d)
	for len(s.queue) > 0 && !s.queue[0].at.After(end) && s.err == nil {
		it := heap.Pop(&s.queue).(item)
		s.now = it.at
		it.f()
	}
	s.now = end
	return s.err
}

// RunUntil runs until cond holds, for at most d, and returns how long it took.
func (s *Sim) RunUntil(d time.Duration, cond func() bool) (time.Duration, bool) {
	begin := s.now
	for !cond() {
		if s.now.Sub(begin) >= d || s.Run(time.Millisecond) != nil {
			return s.now.Sub(begin), false
		}
	}
	return s.now.Sub(begin), true
}

func (s *Sim) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("at %v: %w", s.now.Sub(s.start), fmt.Errorf(format, args...))
	}
}

func (s *Sim) tracef(h *Host, format string, args ...any) {
	if s.cfg.Trace != nil {
		fmt.Fprintf(s.cfg.Trace, "%12.6f %3d %s\n", s.now.Sub(s.start).Seconds(), h.Index, fmt.Sprintf(format, args...))
	}
}

// AddRoot adds the source.
func (s *Sim) AddRoot(slots int) *Host {
	h := s.add(slots, nil)
	h.Root = true
	s.begin(h)
	return h
}

// Add adds a node that knows the seeds' addresses, and starts it.
func (s *Sim) Add(slots int, seeds ...*Host) *Host {
	h := s.add(slots, seeds)
	s.begin(h)
	return h
}

// AddFake adds a host whose part f plays.
func (s *Sim) AddFake(f func(now time.Time, ev tree.Event) []tree.Action) *Host {
	h := s.add(0, nil)
	h.Fake = f
	s.begin(h)
	return h
}

func (s *Sim) add(slots int, seeds []*Host) *Host {
	i := len(s.hosts)
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 7144)
	h := &Host{
		Index: i,
		Place: tree.Place{ID: sha256.Sum256(binary.BigEndian.AppendUint32(nil, uint32(i))), Addrs: []netip.AddrPort{addr}},
		Slots: slots,
		sim:   s,
	}
	for _, p := range seeds {
		h.seeds = append(h.seeds, tree.Place{Addrs: p.Place.Addrs})
	}
	s.hosts = append(s.hosts, h)
	s.byAddr[addr] = h
	return h
}

// begin starts h's process.
func (s *Sim) begin(h *Host) {
	h.run++
	h.alive, h.off, h.frozen, h.left = true, false, false, false
	h.backlog, h.parent, h.inbound, h.orphan = nil, 0, 0, s.now
	h.conns, h.dials = make(map[tree.Link]*conn), make(map[tree.Link]bool)
	if h.Fake != nil {
		return
	}
	cfg := tree.Config{
		Self:  h.Place,
		Slots: h.Slots,
		Seeds: h.seeds,
		Rand:  rand.New(rand.NewPCG(s.rand.Uint64(), 2)),
	}
	if h.Root {
		s.epoch++
		cfg.Root, cfg.Epoch, cfg.Start = true, tree.Epoch{Ms: uint64(s.now.UnixMilli()), Rand: s.epoch}, s.now
	}
	h.Node = tree.New(cfg, s.now)
	h.carryOut()
}

// tell hands h an event, now or when it thaws.
func (h *Host) tell(ev tree.Event) {
	switch {
	case !h.alive:
	case h.frozen:
		h.backlog = append(h.backlog, ev)
	case h.Fake != nil:
		for _, a := range h.Fake(h.sim.now, ev) {
			h.do(a)
		}
	default:
		h.Node.Handle(h.sim.now, ev)
		h.carryOut()
	}
}

// Do carries out actions for a fake host.
func (h *Host) Do(as ...tree.Action) {
	for _, a := range as {
		h.do(a)
	}
}

func (h *Host) carryOut() {
	for a, ok := h.Node.Poll(); ok; a, ok = h.Node.Poll() {
		h.do(a)
	}
	if h.left {
		h.die()
		return
	}
	s := h.sim
	s.check(h)
	d := h.Node.Deadline()
	if !d.After(s.now) {
		s.fail("host %d: deadline %v is not after now", h.Index, d.Sub(s.start))
	}
	h.wake++
	wake, run := h.wake, h.run
	s.at(d, func() {
		if h.run == run && h.wake == wake && h.alive && !h.frozen {
			h.Node.Advance(s.now)
			h.carryOut()
		}
	})
}

func (h *Host) do(a tree.Action) {
	s := h.sim
	switch a := a.(type) {
	case tree.Dial:
		s.tracef(h, "dial %d %s", a.Link, s.name(a.Place))
		h.dials[a.Link] = true
		s.dial(h, a, s.now.Add(dialTime))
	case tree.Send:
		s.tracef(h, "send %d %T%+v", a.Link, a.Msg, a.Msg)
		s.send(h, a)
	case tree.Close:
		s.tracef(h, "close %d %v", a.Link, a.Reason)
		s.close(h, a)
	case tree.Feed:
		s.tracef(h, "feed %d", a.Link)
		s.fed(h, a.Link)
	case tree.Serve:
		s.tracef(h, "serve %d", a.Link)
	case tree.Attached:
		s.committed(h, a.Link)
		s.tracef(h, "attached to %s at depth %d", s.name(a.Parent), a.Depth)
	case tree.Orphaned:
		s.tracef(h, "orphaned: %v", a.Reason)
		h.lost()
	case tree.Left:
		s.tracef(h, "left")
		h.left = true
	}
}

func (s *Sim) name(p tree.Place) string {
	for _, a := range p.Addrs {
		if h := s.byAddr[a]; h != nil {
			return fmt.Sprint(h.Index)
		}
	}
	return fmt.Sprint(p.Addrs)
}

func (h *Host) lost() {
	if h.parent != 0 {
		h.parent, h.orphan = 0, h.sim.now
	}
}

// fed asks the link's other end for the stream.
func (s *Sim) fed(h *Host, l tree.Link) {
	s.send(h, tree.Send{Link: l, Msg: tree.Pull{}})
}

// committed makes the link the committed parent's.
func (s *Sim) committed(h *Host, l tree.Link) {
	h.parent = l
	s.Commits++
	s.checkCycle(h)
}

// delay is how long a message takes from one host to the other.
func (s *Sim) delay(from, to *Host) time.Duration {
	k := [2]int{from.Index, to.Index}
	d, ok := s.delays[k]
	if !ok {
		d = s.cfg.MinDelay + time.Duration(s.rand.Int64N(int64(s.cfg.MaxDelay-s.cfg.MinDelay)+1))
		s.delays[k] = d
	}
	return d
}

// SetDelay sets the one-way delay.
func (s *Sim) SetDelay(from, to *Host, d time.Duration) { s.delays[[2]int{from.Index, to.Index}] = d }

func (s *Sim) cutUntil(from, to *Host) time.Time { return s.cuts[[2]int{from.Index, to.Index}] }

// dial tries again and again while the other side does not answer.
func (s *Sim) dial(h *Host, a tree.Dial, giveUp time.Time) {
	t := s.byAddr[a.Place.Addrs[0]]
	run := h.run
	down := func(after time.Duration, r tree.Reason) {
		s.After(after, func() {
			if h.run == run && h.dials[a.Link] {
				delete(h.dials, a.Link)
				h.tell(tree.Down{Link: a.Link, Reason: r})
			}
		})
	}
	if t == nil {
		down(time.Millisecond, tree.ReasonUnreachable)
		return
	}
	rtt := s.delay(h, t) + s.delay(t, h)
	s.After(2*rtt, func() {
		if h.run != run || !h.dials[a.Link] {
			return
		}
		switch {
		case t.off || t.frozen || s.cutUntil(h, t).After(s.now) || s.cutUntil(t, h).After(s.now):
			if s.now.After(giveUp) {
				down(0, tree.ReasonUnreachable)
				return
			}
			s.After(50*time.Millisecond, func() { s.dial(h, a, giveUp) })
		case !t.alive:
			down(0, tree.ReasonUnreachable)
		case !a.Place.ID.IsZero() && a.Place.ID != t.Place.ID:
			down(0, tree.ReasonWrongNode)
		default:
			delete(h.dials, a.Link)
			h.conns[a.Link] = &conn{ends: [2]*Host{h, t}, runs: [2]int{h.run, t.run}, links: [2]tree.Link{a.Link, 0}}
			h.tell(tree.Up{Link: a.Link, Peer: t.Place.ID, Addr: a.Place.Addrs[0]})
		}
	})
}

// arrival is when a message that end i sends now gets there: after all before it.
func (s *Sim) arrival(c *conn, i int) time.Time {
	from, to := c.ends[i], c.ends[1-i]
	t := s.now.Add(s.delay(from, to))
	if s.cfg.Loss > 0 && s.rand.Float64() < s.cfg.Loss {
		t = t.Add(rto)
	}
	if cut := s.cutUntil(from, to); cut.After(s.now) {
		t = cut.Add(s.delay(from, to)) // sent again and again until it gets through
	}
	if !t.After(c.last[i]) {
		t = c.last[i].Add(time.Microsecond)
	}
	c.last[i] = t
	return t
}

func (c *conn) end(h *Host, l tree.Link) int {
	if c.ends[0] == h && c.links[0] == l {
		return 0
	}
	return 1
}

func (s *Sim) send(h *Host, a tree.Send) {
	c := h.conns[a.Link]
	if c == nil {
		return
	}
	s.checkMessage(h, c, a)
	i := c.end(h, a.Link)
	to := c.ends[1-i]
	s.at(s.arrival(c, i), func() {
		if !to.alive || to.run != c.runs[1-i] || c.closed[1-i] {
			return
		}
		if j, ok := a.Msg.(tree.Join); ok && i == 0 && c.links[1] == 0 {
			to.inbound += 2
			c.links[1] = to.inbound
			to.conns[c.links[1]] = c
			port := uint16(50000) // as a dialler's is: of no use to anyone
			from := netip.AddrPortFrom(c.ends[0].Place.Addrs[0].Addr(), port)
			to.tell(tree.Joined{Link: c.links[1], Peer: c.ends[0].Place.ID, Addr: from, Join: j})
			return
		}
		if c.links[1-i] != 0 {
			to.tell(tree.Received{Link: c.links[1-i], Msg: a.Msg})
		}
	})
}

// close closes h's end; the other side sees it after all that was sent.
func (s *Sim) close(h *Host, a tree.Close) {
	if h.dials[a.Link] {
		delete(h.dials, a.Link)
		s.After(0, s.ifRun(h, func() { h.tell(tree.Down{Link: a.Link, Reason: tree.ReasonUnreachable}) }))
		return
	}
	c := h.conns[a.Link]
	if c == nil {
		return
	}
	s.hangUp(h, a.Link, c)
	s.After(0, s.ifRun(h, func() { h.tell(tree.Down(a)) }))
}

func (s *Sim) ifRun(h *Host, f func()) func() {
	run := h.run
	return func() {
		if h.run == run {
			f()
		}
	}
}

func (s *Sim) hangUp(h *Host, l tree.Link, c *conn) {
	i := c.end(h, l)
	delete(h.conns, l)
	if h.parent == l {
		h.lost()
	}
	if c.closed[i] {
		return
	}
	c.closed[i] = true
	to := c.ends[1-i]
	s.at(s.arrival(c, i), func() {
		if !to.alive || to.run != c.runs[1-i] || c.closed[1-i] {
			return
		}
		c.closed[1-i] = true
		if l := c.links[1-i]; l != 0 {
			delete(to.conns, l)
			if to.parent == l && !to.frozen {
				to.lost()
			}
			to.tell(tree.Down{Link: l, Reason: tree.ReasonClosed})
		}
	})
}
