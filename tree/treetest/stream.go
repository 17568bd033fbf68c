package treetest

import (
	"cmp"
	"slices"
	"time"

	"relay/tree"
)

// Stream is what the root makes and every host forwards, chunk by chunk, to the
// children that it serves. Bytes are not moved, only counted.
type Stream struct {
	// Interval is the time between two chunks; 0 is no stream at all. Real ones are 20 to
	// 40 ms apart. Longer ones make large trees cheap, but gaps are known only to an interval.
	Interval time.Duration
	// KeyEvery is the number of chunks from one key chunk to the next; 0 is 2 s of them.
	KeyEvery uint64
	// BitRate is in bits/s; 0 is 3 Mb/s.
	BitRate int64
	// Ring is how many chunks a host keeps; 0 is a minute of them, as in relay.
	Ring uint64
}

const (
	// gaugeInterval is how often the data path tells a node how it does, as in relay.
	// beats is how often the root signs its clock. It bounds what a node can know of chunks
	// that it has not had.
	gaugeInterval = 100 * time.Millisecond
	// flowsFor is how long a stream counts as flowing after a chunk, as in relay.
	flowsFor = 500 * time.Millisecond
	beats    = time.Second
	// caughtUp is the lag at which a newcomer has made up for the lag with which it began.
	// That does not count for catchUpTime, as long as it does not grow; as in relay.
	caughtUp    = 300 * time.Millisecond
	catchUpTime = 10 * time.Second
	// beginsWithin is how old the newest of what a link has brought may be, for a newcomer to begin there, and holeTime
	// for how long it waits for better; as in relay.
	beginsWithin = 6 * time.Second
	holeTime     = 1500 * time.Millisecond
	// Buffer is how late a chunk may be for a player that buffers so much.
	Buffer = 4 * time.Second
)

func (c *Stream) keyEvery() uint64 {
	return cmp.Or(c.KeyEvery, uint64(max(1, 2*time.Second/c.Interval)))
}

func (c *Stream) ring() uint64     { return cmp.Or(c.Ring, uint64(max(2, time.Minute/c.Interval))) }
func (c *Stream) bitRate() int64   { return cmp.Or(c.BitRate, 3_000_000) }
func (c *Stream) chunkBits() int64 { return c.bitRate() * int64(c.Interval) / int64(time.Second) }

// Chunk names a chunk by the number of its epoch and its number within that, both from 1.
type Chunk struct {
	Epoch uint32
	Seq   uint64
}

func (c Chunk) compare(d Chunk) int {
	return cmp.Or(cmp.Compare(c.Epoch, d.Epoch), cmp.Compare(c.Seq, d.Seq))
}

// epoch is one run of a source.
type epoch struct {
	id    tree.Epoch
	start int64
}

func (s *Sim) newEpoch() tree.Epoch {
	id := tree.Epoch{Ms: uint64(s.now.UnixMilli()), Rand: uint64(len(s.epochs) + 1)}
	s.epochs = append(s.epochs, epoch{id, s.t})
	return id
}

func (s *Sim) position(c Chunk) tree.Position {
	if c.Epoch == 0 {
		return tree.Position{}
	}
	return tree.Position{Epoch: s.epochs[c.Epoch-1].id, Seq: c.Seq}
}

func (s *Sim) chunkAt(p tree.Position) Chunk {
	if i := p.Epoch.Rand; i > 0 && i <= uint64(len(s.epochs)) && s.epochs[i-1].id == p.Epoch {
		return Chunk{uint32(i), p.Seq}
	}
	return Chunk{}
}

// made is when a chunk was made, in nanoseconds since the start.
func (s *Sim) made(c Chunk) int64 {
	return s.epochs[c.Epoch-1].start + int64(c.Seq)*int64(s.cfg.Stream.Interval)
}

func (s *Sim) isKey(c Chunk) bool { return (c.Seq-1)%s.cfg.Stream.keyEvery() == 0 }

// data is a host's ring, with what has happened to its stream.
type data struct {
	head     Chunk
	oldest   uint64 // in the ring, of the epoch of head
	children []*conn
	turn     int   // whose chunk goes next over a limited uplink
	sending  bool  // it is busy
	overAt   int64 // since when there are more children than slots, 0 if there are not

	firstUp int64         // when there was a parent first, 0 for not yet
	caught  bool          // it has caught up with the stream
	backlog time.Duration // the lag with which it began, while it has not
	first   Chunk         // the first that ever came
	firstAt int64         // when that came
	lastAt  int64         // when the newest came
	maxGap  int64         // longest time between two chunks
	lost    uint64
	late    uint64 // chunks that came more than Buffer too late
	again   uint64 // chunks that came and were there already
	waited  int64  // time for the first chunk, beyond Buffer
}

func (h *Host) startData() {
	s := h.sim
	if s.cfg.Stream.Interval == 0 {
		return
	}
	if h.Root {
		h.head = Chunk{Epoch: uint32(len(s.epochs))}
		s.at(s.made(Chunk{h.head.Epoch, 1}), event{kind: evMake, host: h, run: h.run})
		return
	}
	phase := int64(mix64(s.cfg.Seed^uint64(h.Index)) % uint64(gaugeInterval))
	s.at(s.t+phase, event{kind: evGauge, host: h, run: h.run})
}

// gauge is the data path's regular word to the node.
func (h *Host) gauge() {
	s := h.sim
	if !h.alive {
		return
	}
	s.at(s.t+int64(max(gaugeInterval, s.cfg.Heartbeat)), event{kind: evGauge, host: h, run: h.run})
	if !h.frozen {
		h.tell(h.progress())
	}
}

// progress is what the node is told of the stream.
func (h *Host) progress() tree.Progress {
	return tree.Progress{Lost: h.lost, Lag: h.seenLag(), Barren: h.barren(), Flows: h.flows()}
}

// flows reports whether h has had a chunk of late.
func (h *Host) flows() bool { return h.lastAt != 0 && h.sim.t-h.lastAt < int64(flowsFor) }

// barren reports whether the root has chunks and h has had none.
func (h *Host) barren() bool {
	root := h.sim.hosts[0]
	return !h.Root && h.head.Seq == 0 && root.Root && root.head.Seq > 0
}

// Lag is how far h's newest chunk is behind the root's.
func (h *Host) Lag() time.Duration {
	if h.head.Seq == 0 {
		return 0
	}
	return time.Duration(max(0, h.sim.t-h.sim.made(Chunk{h.head.Epoch, h.head.Seq + 1})))
}

// seenLag is the part of the lag that relay's data path can prove. It is 0 without the root's
// clock. While no chunk has come it is what the root's beats tell. The lag with which a
// newcomer began does not count while it catches up.
func (h *Host) seenLag() time.Duration {
	s := h.sim
	if h.Node == nil || h.firstUp == 0 {
		return 0
	}
	if _, ok := h.Node.RootClock(h.now()); !ok {
		return 0
	}
	if h.head.Seq == 0 {
		return max(0, time.Duration(s.t-h.firstUp)-beats)
	}
	lag := h.Lag()
	if h.caught {
		return lag
	}
	if lag <= caughtUp || s.t-h.firstAt >= int64(catchUpTime) {
		h.caught = true
		return lag
	}
	if h.backlog == 0 || lag < h.backlog {
		h.backlog = lag
	}
	return lag - h.backlog
}

func (h *Host) makeChunk() {
	if !h.alive {
		return
	}
	s := h.sim
	next := Chunk{h.head.Epoch, h.head.Seq + 1}
	s.at(s.made(Chunk{next.Epoch, next.Seq + 1}), event{kind: evMake, host: h, run: h.run})
	if !h.frozen {
		h.add(next)
		h.pump()
	}
}

// feed asks for the stream over the link, from the end of the ring on.
func (h *Host) feed(l tree.Link) {
	if c := h.conns[l]; c != nil {
		c.fed = true
	}
	h.sim.send(h, l, tree.Pull{Have: h.sim.position(h.head)})
}

func (h *Host) serve(a tree.Serve) {
	c := h.conns[a.Link]
	if c == nil || c.serve {
		return
	}
	c.serve, c.since, c.cursor = true, h.sim.t, h.sim.chunkAt(a.Have)
	h.children = append(h.children, c)
	h.sim.checkDegree(h)
	if len(h.children) > h.Slots && h.overAt == 0 {
		h.overAt = h.sim.t
	}
	h.pump()
}

func (h *Host) stopServing(c *conn) {
	if !c.serve {
		return
	}
	c.serve = false
	h.children = slices.DeleteFunc(h.children, func(d *conn) bool { return d == c })
	if len(h.children) <= h.Slots {
		h.overAt = 0
	}
}

// next is the next chunk for a reader that has had everything up to last.
func (h *Host) next(last Chunk) (Chunk, bool) {
	head := h.head
	if head.Seq == 0 || last.compare(head) >= 0 {
		return Chunk{}, false
	}
	if next := last.Seq + 1; last.Epoch == head.Epoch && next >= h.oldest {
		return Chunk{head.Epoch, next}, true
	}
	every := h.sim.cfg.Stream.keyEvery()
	key := Chunk{head.Epoch, (head.Seq-1)/every*every + 1}
	return key, key.Seq >= h.oldest && key.compare(last) > 0
}

// pump sends every child the chunks that it has not had. If the uplink is limited they go one
// after the other, to the children in turn.
func (h *Host) pump() {
	if !h.alive || h.frozen || h.sending {
		return
	}
	if h.Uplink == 0 {
		for _, c := range h.children {
			for n, ok := h.next(c.cursor); ok; n, ok = h.next(c.cursor) {
				h.transmit(c, n)
				c.cursor = n
			}
		}
		return
	}
	for i := range h.children {
		k := (h.turn + i) % len(h.children)
		c := h.children[k]
		n, ok := h.next(c.cursor)
		if !ok {
			continue
		}
		c.cursor = n
		h.turn, h.sending = k+1, true
		s := h.sim
		took := s.cfg.Stream.chunkBits() * int64(time.Second) / h.Uplink
		s.at(s.t+took, event{kind: evSent, host: h, run: h.run, conn: c, epoch: n.Epoch, seq: n.Seq})
		return
	}
}

// sent goes on when the uplink is free.
func (h *Host) sent(c *conn, n Chunk) {
	h.sending = false
	if c.serve {
		h.transmit(c, n)
	}
	h.pump()
}

// forged in event.end marks a chunk that the root has not made.
const forged = 1

func (h *Host) transmit(c *conn, n Chunk) {
	if h.spoil != nil {
		h.spoil(c, n)
		return
	}
	h.forward(c, n)
}

func (h *Host) forward(c *conn, n Chunk) {
	h.sim.at(h.sim.arrival(c, 1), event{kind: evChunk, conn: c, epoch: n.Epoch, seq: n.Seq})
}

func (s *Sim) chunkArrived(c *conn, n Chunk, bad bool) {
	if !c.open(0) {
		return
	}
	h := c.ends[0]
	if bad {
		h.reject(c)
		return
	}
	if h.frozen {
		h.thawing = append(h.thawing, func() { h.take(c, n) })
		return
	}
	h.take(c, n)
}

// reject ends a link over which a chunk came that the root has not made, as relay does.
func (h *Host) reject(c *conn) {
	if h.Fake != nil {
		return
	}
	h.sim.forgeries++
	h.Do(tree.Close{Link: c.links[0], End: tree.ByUs(tree.ReasonForged)})
}

// take puts a chunk into the ring by the rules of relay. It has to be the next one, or a
// later key chunk. A chunk that is there already is dropped.
func (h *Host) take(c *conn, n Chunk) {
	s := h.sim
	switch {
	case c.closed[0]:
		return
	case h.Fake != nil && !h.Forwards:
		h.heardChunk(c)
		return
	case !c.fed:
		s.fail("host %d is sent chunk %v by %d without having asked", h.Index, n, c.ends[1].Index)
		return
	case h.head.Seq == 0 && h.Fake == nil && h.waitsAside(c, n):
		return
	case n.compare(h.head) <= 0:
		h.again++
	case n.Epoch == h.head.Epoch && n.Seq == h.head.Seq+1, s.isKey(n):
		h.add(n)
	default:
		s.fail("host %d has chunk %v, and is sent %v by %d", h.Index, h.head, n, c.ends[1].Index)
		return
	}
	h.heardChunk(c)
	h.pump()
}

// waitsAside keeps a chunk back that a newcomer is sent, while all that the link has brought is old: another place may
// begin nearer to the present. It is taken when the link has come up to that, or after holeTime; as in relay.
func (h *Host) waitsAside(c *conn, n Chunk) bool {
	s := h.sim
	old := time.Duration(s.t-s.made(n)) > beginsWithin
	switch {
	case len(c.aside) == 0 && !old:
		return false
	case len(c.aside) == 0:
		s.After(holeTime, func() { h.takeAside(c) })
	}
	c.aside = append(c.aside, n)
	if !old {
		h.takeAside(c)
	}
	return true
}

func (h *Host) takeAside(c *conn) {
	aside := c.aside
	c.aside = nil
	for _, n := range aside {
		if h.alive && !c.closed[0] && n.compare(h.head) > 0 {
			h.add(n)
			h.heardChunk(c)
		}
	}
	h.pump()
}

// heardChunk tells h that a chunk has come.
func (h *Host) heardChunk(c *conn) {
	l := c.links[0]
	h.tell(tree.Heard{Link: l})
	if !c.proved {
		c.proved = true
		h.tell(tree.Delivered{Link: l})
	}
}

// add puts a chunk into the ring.
func (h *Host) add(n Chunk) {
	s := h.sim
	switch {
	case h.first.Epoch == 0:
		h.first, h.firstAt = n, s.t
		h.waited = max(0, s.t-h.born-int64(Buffer))
		h.oldest = n.Seq
	case n.Epoch != h.head.Epoch:
		h.oldest = n.Seq
	case n.Seq != h.head.Seq+1:
		h.lost += n.Seq - h.head.Seq - 1
		h.oldest = n.Seq
	}
	gap := int64(0)
	if h.lastAt != 0 {
		gap = s.t - h.lastAt
		h.maxGap = max(h.maxGap, gap)
	}
	if s.t-s.made(n) > int64(Buffer) {
		h.late++
	}
	began := h.head.Seq == 0
	h.head, h.lastAt = n, s.t
	if began && h.Fake == nil { // as relay does, not at the next look
		h.tell(tree.Progress{Lost: h.lost, Lag: h.seenLag(), Flows: true})
	}
	if ring := s.cfg.Stream.ring(); n.Seq >= ring {
		h.oldest = max(h.oldest, n.Seq-ring+1)
	}
	if s.OnAppend != nil {
		s.OnAppend(h, n, time.Duration(gap))
	}
}
