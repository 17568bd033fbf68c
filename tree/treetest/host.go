package treetest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"relay/tree"
)

// Host is one machine with one process.
type Host struct {
	Index int
	Place tree.Place
	Slots int
	Root  bool
	Kind  Kind
	// Home, if not 0, is the home whose hosts are near each other.
	Home int
	// Uplink is what the host can send, in bits/s; 0 sets no limit.
	Uplink int64

	// Node is the process, nil if Fake plays its part.
	Node *tree.Node
	// Fake, if set, is told everything a node would be and answers with what to do.
	Fake func(now time.Time, ev tree.Event) []tree.Action
	// Forwards lets a Fake take and serve chunks as every host does.
	Forwards bool
	// spoil, if set, does what such a Fake does in place of sending a chunk to a child.
	spoil func(c *conn, n Chunk)

	sim     *Sim
	seeds   []tree.Place
	run     int // counts its processes: events for an earlier one are lost
	alive   bool
	off     bool // the machine is dead, not just the process: it does not even refuse
	frozen  bool
	leaving bool
	left    bool
	shut    bool          // it has been told that nobody dials it
	feigns  bool          // it does as if it were open
	jump    time.Duration // its clock minus the network's
	thawing []func()
	wakeAt  int64 // of the timer that is set, 0 for none
	inbound tree.Link
	// carriers are the hosts that have sent this one to others by calls, and when they did last.
	carriers map[*Host]int64
	conns    map[tree.Link]*conn
	dials    map[tree.Link]*dialling
	up       *conn // to the committed parent, nil for none
	upLink   tree.Link
	wasUp    *conn // before the step that is being carried out
	orphan   int64 // since when there is no committed parent
	born     int64 // when the process began
	movedAt  int64 // of its newest move away from a parent that runs
	sample   sample
	inCrowd  int       // its index among those that run
	came     time.Time // to the channel, zero for the moment it was added
	over     time.Time // since when there are more children than slots, zero if there are not

	lineage lineage
	data
	traffic
	watched
	duped // by others
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

// AddClosed adds a host that nobody gets through to.
func (s *Sim) AddClosed(slots int, seeds ...*Host) *Host { return s.AddKind(Closed, slots, seeds...) }

// AddKind adds a host of that kind.
func (s *Sim) AddKind(k Kind, slots int, seeds ...*Host) *Host { return s.AddAt(0, k, slots, seeds...) }

// AddAt adds a host of that kind to a home.
func (s *Sim) AddAt(home int, k Kind, slots int, seeds ...*Host) *Host {
	h := s.add(slots, seeds)
	h.Home, h.Kind = home, k
	s.begin(h)
	return h
}

// AddAged adds a host that has been in the channel for so long.
func (s *Sim) AddAged(slots int, age time.Duration, seeds ...*Host) *Host {
	h := s.add(slots, seeds)
	h.came = s.now.Add(-age)
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
	return h
}

// hostAt is the host with that address, nil if there is none.
func (s *Sim) hostAt(a netip.AddrPort) *Host {
	b := a.Addr().As4()
	i := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	if b[0] != 10 || i >= len(s.hosts) {
		return nil
	}
	return s.hosts[i]
}

// begin starts h's process.
func (s *Sim) begin(h *Host) {
	h.run++
	h.alive, h.off, h.frozen, h.leaving, h.left = true, false, false, false, false
	h.shut = false
	h.thawing, h.up, h.upLink, h.inbound, h.orphan, h.wakeAt = nil, nil, 0, 0, s.t, 0
	h.born = s.t
	h.carriers = nil
	h.conns, h.dials = make(map[tree.Link]*conn), make(map[tree.Link]*dialling)
	h.data, h.lineage = data{}, lineage{}
	if h.Fake != nil {
		return
	}
	cfg := tree.Config{
		Self:  h.Place,
		Since: h.came,
		Slots: h.Slots,
		Seeds: h.seeds,
		Rand:  rand.New(rand.NewPCG(s.rand.Uint64(), 2)),

		Heartbeat: s.cfg.Heartbeat,
		Probes:    s.cfg.Probes,
		Proofs:    s.cfg.Proofs,
		Calls:     s.cfg.Calls && (h.Kind != Closed || h.feigns),
	}
	if h.Root {
		cfg.Root, cfg.Epoch, cfg.Start = true, s.newEpoch(), h.now()
	}
	h.Node = tree.New(cfg, h.now())
	h.startData()
	h.carryOut()
}

// now is the time on h's own clock.
func (h *Host) now() time.Time { return h.sim.now.Add(h.jump) }

// tell hands h an event, now or when it thaws.
func (h *Host) tell(ev tree.Event) {
	switch {
	case !h.alive:
	case h.frozen:
		h.thawing = append(h.thawing, func() { h.tell(ev) })
	case h.Fake != nil:
		for _, a := range h.Fake(h.now(), ev) {
			h.do(a)
		}
	default:
		h.Node.Handle(h.now(), ev)
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
	h.wasUp = h.up // the old link may be closed before the new one is committed
	for a, ok := h.Node.Poll(); ok; a, ok = h.Node.Poll() {
		h.do(a)
	}
	if h.left {
		h.die()
		return
	}
	if !h.alive {
		return
	}
	s := h.sim
	if !s.cfg.Large {
		s.check(h)
	}
	d := h.Node.Deadline().Sub(h.now())
	if d <= 0 {
		s.fail("host %d: deadline %v is not after now", h.Index, d)
	}
	h.wake(s.t + int64(d))
}

// wake sets the timer. A timer that is set already and comes earlier stays, for the host
// looks again when it fires.
func (h *Host) wake(at int64) {
	if h.wakeAt != 0 && h.wakeAt <= at {
		return
	}
	h.wakeAt = at
	h.sim.at(at, event{kind: evWake, host: h, run: h.run})
}

func (h *Host) woken() {
	s := h.sim
	if h.wakeAt != s.t {
		return // another timer has taken its place
	}
	h.wakeAt = 0
	if !h.alive || h.frozen {
		return
	}
	if d := h.Node.Deadline().Sub(h.now()); d > 0 {
		h.wake(s.t + int64(d))
		return
	}
	h.Node.Advance(h.now())
	h.carryOut()
}

func (h *Host) do(a tree.Action) {
	s := h.sim
	tracing := s.tracing()
	if s.OnAction != nil {
		s.OnAction(h, a)
	}
	switch a := a.(type) {
	case tree.Dial:
		if tracing {
			s.tracef(h, "dial %d %s", a.Link, s.name(a.Place))
		}
		s.dial(h, a)
	case tree.Probe:
		if tracing {
			s.tracef(h, "probe %d %s", a.Link, s.name(a.Place))
		}
		s.probe(h, a)
	case tree.Send:
		if tracing {
			s.tracef(h, "send %d %T%+v", a.Link, a.Msg, a.Msg)
		}
		s.send(h, a.Link, a.Msg)
	case tree.Close:
		if tracing {
			s.tracef(h, "close %d %v", a.Link, a.End)
		}
		s.close(h, a)
	case tree.Feed:
		if tracing {
			s.tracef(h, "feed %d", a.Link)
		}
		h.feed(a.Link)
	case tree.Serve:
		if tracing {
			s.tracef(h, "serve %d", a.Link)
		}
		h.serve(a)
	case tree.Attached:
		if tracing {
			s.tracef(h, "attached to %s by %d at depth %d", s.name(a.Parent), a.Link, a.Depth)
		}
		s.committed(h, a.Link)
	case tree.Orphaned:
		if tracing {
			s.tracef(h, "orphaned: %v", a.End)
		}
		h.lostParent()
	case tree.Left:
		s.tracef(h, "left")
		h.left = true
	}
}

func (s *Sim) name(p tree.Place) string {
	for _, a := range p.Addrs {
		if h := s.hostAt(a); h != nil {
			return fmt.Sprint(h.Index)
		}
	}
	return fmt.Sprint(p.Addrs)
}

func (h *Host) lostParent() {
	h.escaped()
	if h.up != nil {
		h.up, h.upLink, h.orphan = nil, 0, h.sim.t
	}
}

// committed makes the link the committed parent's.
func (s *Sim) committed(h *Host, l tree.Link) {
	if old := h.wasUp; old != nil && !old.closed[1] && old.ends[1].alive && !old.ends[1].frozen {
		if s.OnMove != nil {
			s.OnMove(h, old.asked, h.movedAt)
		}
		if !old.asked {
			h.movedAt = s.t
		}
	}
	h.up, h.upLink = h.conns[l], l
	s.Commits++
	if h.firstUp == 0 {
		h.firstUp = s.t
	}
	h.inherit(h.up)
	h.escaped()
	if p := h.Parent(); p != nil && p.Fake != nil {
		h.fell(p)
	}
	s.checkCycle(h)
}
