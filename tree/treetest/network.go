package treetest

import (
	"net/netip"
	"time"

	"relay/tree"
)

// dialTime is how long a dial waits for a host that does not answer, and redial how
// often it tries.
const (
	dialTime = 3 * time.Second
	redial   = 50 * time.Millisecond
)

// conn is a connection; end 0 dialled.
type conn struct {
	ends   [2]*Host
	runs   [2]int
	links  [2]tree.Link
	last   [2]int64 // when the newest message from that end arrives
	closed [2]bool

	met      bool      // by a call
	shown    int64     // when end 1 has proved to end 0 how deep that is
	depth    int       // and how deep; 0 for nothing yet
	until    int64     // and until when that holds
	youngest time.Time // on the way to end 1, that one included: when it came
	asked    bool      // end 1 has asked end 0 to move on
	fed      bool      // end 0 takes chunks from it
	proved   bool      // one has come
	aside    []Chunk   // that wait, of a newcomer
	serve    bool      // end 1 sends chunks over it
	since    int64     // when it began to
	cursor   Chunk     // the newest that was sent over it, or that the child had
}

// dialling is a connection that does not stand yet.
type dialling struct {
	link    tree.Link
	place   tree.Place
	through tree.ID // who carries a call there; zero if it is only dialled
	met     bool    // the call has got through
	giveUp  int64
}

// delay is how long a message takes from one host to the other.
func (s *Sim) delay(from, to *Host) time.Duration {
	if len(s.delays) > 0 {
		if d, ok := s.delays[[2]int{from.Index, to.Index}]; ok {
			return d
		}
	}
	span := uint64(s.cfg.MaxDelay-s.cfg.MinDelay) + 1
	if span == 1 {
		return s.cfg.MinDelay
	}
	return s.cfg.MinDelay + time.Duration(mix64(s.cfg.Seed^mix64(uint64(from.Index)<<32|uint64(to.Index)))%span)
}

// mix64 is the finaliser of SplitMix64 (Steele, Lea, Flood 2014): neighbouring
// numbers give unrelated ones.
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// SetDelay sets the one-way delay.
func (s *Sim) SetDelay(from, to *Host, d time.Duration) { s.delays[[2]int{from.Index, to.Index}] = d }

// cutUntil is until when nothing gets through from one host to the other.
func (s *Sim) cutUntil(from, to *Host) (t time.Time) {
	if len(s.cuts) > 0 {
		t = s.cuts[[2]int{from.Index, to.Index}]
	}
	if s.heal.After(s.now) && s.split(from) != s.split(to) && s.heal.After(t) {
		t = s.heal
	}
	return t
}

func (s *Sim) dial(h *Host, a tree.Dial) {
	d := &dialling{link: a.Link, place: a.Place, through: a.Through, giveUp: s.t + int64(dialTime)}
	h.dials[a.Link] = d
	after := time.Millisecond
	if t := s.hostAt(a.Place.Addrs[0]); t != nil {
		after = 2 * (s.delay(h, t) + s.delay(t, h)) // TCP and TLS
		if t.Fake != nil {
			h.asked++
		}
		if !d.through.IsZero() && t.Kind != Open && !h.near(t) { // else a dial is quicker
			s.call(h, t, d, after)
			return
		}
	}
	s.at(s.t+int64(after), event{kind: evDial, host: h, run: h.run, dial: d})
}

// dialStep ends a dial, or tries once more while the other side does not answer.
func (s *Sim) dialStep(h *Host, d *dialling) {
	if h.dials[d.link] != d {
		return
	}
	t := s.hostAt(d.place.Addrs[0])
	fail := func(how tree.End) {
		delete(h.dials, d.link)
		h.tell(tree.Down{Link: d.link, End: how})
	}
	switch {
	case t == nil:
		fail(tree.Lost(tree.ReasonUnreachable))
	case !d.met && !s.dialled(h, t), d.met && (t.off || t.frozen || s.cut(h, t)):
		if s.t > d.giveUp {
			fail(tree.Lost(tree.ReasonUnreachable))
			return
		}
		s.at(s.t+int64(redial), event{kind: evDial, host: h, run: h.run, dial: d})
	case !t.alive:
		fail(tree.Lost(tree.ReasonUnreachable))
	case !d.place.ID.IsZero() && d.place.ID != t.Place.ID:
		fail(tree.ByUs(tree.ReasonWrongNode))
	default:
		delete(h.dials, d.link)
		h.conns[d.link] = &conn{ends: [2]*Host{h, t}, runs: [2]int{h.run, t.run}, links: [2]tree.Link{d.link, 0}, met: d.met}
		h.tell(tree.Up{Link: d.link, Peer: t.Place.ID, Addr: d.place.Addrs[0], Near: h.near(t), Called: d.met})
	}
}

// probe answers as a dial would: at once from a host that others get through to, after the time
// for it from one that they do not. The host is told.
func (s *Sim) probe(h *Host, a tree.Probe) {
	reach, after := tree.Closed, tree.ProbeTime
	t := s.hostAt(a.Place.Addrs[0])
	if t != nil && t.reachable() {
		reach, after = tree.Open, 2*(s.delay(h, t)+s.delay(t, h))
	}
	run := h.run
	s.After(after, func() {
		if h.run != run {
			return
		}
		h.tell(tree.Probed{Link: a.Link, Reach: reach})
		if t != nil {
			s.After(s.delay(h, t), func() { t.hearReach(reach) })
		}
	})
}

// hearReach has the host know what came of a trial. Gossip tells of no slots at one that is closed.
func (h *Host) hearReach(r tree.Reach) {
	if !h.alive || h.Fake != nil || h.feigns {
		return
	}
	h.shut = r == tree.Closed
	h.tell(tree.Shut{Is: h.shut})
}

// reachable reports whether a dial gets to the host, if only to be refused.
func (h *Host) reachable() bool { return !h.off && !h.frozen && h.Kind == Open }

// arrival is when a message gets there that end i sends now: after all those before it.
func (s *Sim) arrival(c *conn, i int) int64 {
	from, to := c.ends[i], c.ends[1-i]
	d := int64(s.delay(from, to))
	t := s.t + d
	if s.cfg.Loss > 0 && s.rand.Float64() < s.cfg.Loss {
		t += int64(rto)
	}
	if cut := s.cutUntil(from, to); cut.After(s.now) {
		t = int64(cut.Sub(s.start)) + d // sent again and again until it gets through
	}
	if t <= c.last[i] {
		t = c.last[i] + int64(time.Microsecond)
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

func (s *Sim) send(h *Host, l tree.Link, m tree.Message) {
	c := h.conns[l]
	if c == nil {
		return
	}
	s.checkMessage(h, c, l, m)
	h.count(m)
	i := c.end(h, l)
	s.at(s.arrival(c, i), event{kind: evMessage, conn: c, end: uint8(1 - i), msg: m})
}

// open reports whether that end of a connection still takes messages.
func (c *conn) open(i int) bool {
	return c.ends[i].alive && c.ends[i].run == c.runs[i] && !c.closed[i]
}

// labelSlack is how far a label may be ahead of what the root has signed before relay
// leaves it out.
const labelSlack = 5 * time.Second

// rootLabel is the label that the newest root has so much later, or none before there is one.
func (s *Sim) rootLabel(later time.Duration) tree.Label {
	if len(s.epochs) == 0 {
		return tree.Label{}
	}
	e := s.epochs[len(s.epochs)-1]
	return tree.Label{Epoch: e.id, E: uint64((time.Duration(s.t-e.start) + later) / tree.LabelStep)}
}

// vouched is the message as relay would hand it to the tree.
func (s *Sim) vouched(m tree.Message) tree.Message {
	l := s.rootLabel(labelSlack)
	switch m := m.(type) {
	case tree.Welcome:
		if m.Label.Newer(l) {
			m.Label = tree.Label{}
		}
		return m
	case tree.Heartbeat:
		if m.Label.Newer(l) {
			m.Label = tree.Label{}
		}
		return m
	}
	return m
}

func (s *Sim) arrived(c *conn, i int, m tree.Message) {
	if !c.open(i) {
		return
	}
	if s.cfg.Vouched && c.ends[1-i].Fake != nil {
		m = s.vouched(m)
	}
	to := c.ends[i]
	if j, ok := m.(tree.Join); ok && i == 1 && c.links[1] == 0 {
		to.inbound += 2
		c.links[1] = to.inbound
		to.conns[c.links[1]] = c
		if s.cfg.Proofs && c.ends[0].Fake != nil {
			j.Age = 0 // relay believes what is proved
		}
		port := uint16(50000) // a dialler's port is of no use to others
		from := netip.AddrPortFrom(c.ends[0].Place.Addrs[0].Addr(), port)
		to.tell(tree.Joined{
			Link: c.links[1], Peer: c.ends[0].Place.ID, Addr: from, Near: to.near(c.ends[0]), Calls: s.cfg.Calls && !j.NoCalls, Met: c.met, Join: j,
		})
		return
	}
	if b, ok := m.(tree.Bye); ok && i == 0 && (b.Reason == tree.ReasonDisplaced || b.Reason == tree.ReasonLeaving) {
		c.asked = true
	}
	if i == 0 {
		to.sentOn(c.ends[1], m)
		s.proveAlong(c, m)
	}
	if _, ok := m.(tree.Welcome); ok && to.Fake == nil && to.barren() { // the beat that comes ahead of it says so
		to.tell(to.progress())
	}
	if c.links[i] != 0 {
		to.tell(tree.Received{Link: c.links[i], Msg: m})
	}
}

// close closes h's end; the other side sees it after all that was sent.
func (s *Sim) close(h *Host, a tree.Close) {
	how := a.End
	if h.dials[a.Link] != nil {
		delete(h.dials, a.Link)
		how = tree.Lost(tree.ReasonUnreachable)
	} else {
		c := h.conns[a.Link]
		if c == nil {
			return
		}
		s.hangUp(h, a.Link, c)
	}
	s.at(s.t, event{kind: evDown, host: h, run: h.run, link: a.Link, how: how})
}

func (h *Host) down(l tree.Link, how tree.End) { h.tell(tree.Down{Link: l, End: how}) }

func (s *Sim) hangUp(h *Host, l tree.Link, c *conn) {
	i := c.end(h, l)
	delete(h.conns, l)
	h.unlinked(c, i)
	if c.closed[i] {
		return
	}
	c.closed[i] = true
	s.at(s.arrival(c, i), event{kind: evHangUp, conn: c, end: uint8(1 - i)})
}

// hungUp tells the end i that the other one has closed.
func (s *Sim) hungUp(c *conn, i int) {
	if !c.open(i) {
		return
	}
	c.closed[i] = true
	to := c.ends[i]
	l := c.links[i]
	if l == 0 {
		return
	}
	if to.frozen {
		to.thawing = append(to.thawing, func() { to.cutOff(c, i, l) })
		return
	}
	to.cutOff(c, i, l)
}

func (h *Host) cutOff(c *conn, i int, l tree.Link) {
	delete(h.conns, l)
	h.unlinked(c, i)
	h.tell(tree.Down{Link: l, End: tree.ByThem(tree.ReasonClosed)})
}

// unlinked removes one end of a connection from all that refers to it.
func (h *Host) unlinked(c *conn, i int) {
	if i == 0 {
		c.fed = false
		if h.up == c {
			h.lostParent()
		}
		return
	}
	h.stopServing(c)
}
