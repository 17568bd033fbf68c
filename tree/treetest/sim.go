// Package treetest runs whole trees in virtual time: real [tree.Node]s, a network
// with delays, a stream that is forwarded along the links, and faults. Nothing in it
// waits, and everything random comes from one seed, so that a run can be repeated to
// the last byte of its trace.
package treetest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"relay/tree"
)

// Config describes a network. Its zero value has 5 ms between any two hosts and no
// stream.
type Config struct {
	Seed uint64
	// MinDelay and MaxDelay bound the one-way delay between two hosts, drawn once per
	// pair and direction.
	MinDelay, MaxDelay time.Duration
	// Loss is the share of messages that have to be sent again. They, and all that follow on
	// their connection, come 200 ms later.
	Loss float64
	// Heartbeat is the one in every node's tree.Config; 0 is the real one. Longer ones make
	// long runs of large trees cheap, and every reaction as much slower.
	Heartbeat time.Duration
	// Stream is what the root sends; without it only messages of the tree travel.
	Stream Stream
	// Large leaves out a check: otherwise each node is compared after every step with what
	// the network knows of it. Cycles, degree and the order of chunks are always checked.
	Large bool
	// Vouched leaves out labels that are further ahead than the root's signed clock allows,
	// as relay does. It makes a difference if hosts lie.
	Vouched bool
	// Probes lets hosts try whether others get through to a host, as relay does. Without it
	// everybody counts for what they claim.
	Probes bool
	// Proofs lets hosts prove to others how far they are from the root, as relay does.
	Proofs bool
	// Calls lets hosts carry calls to each other, and all but the closed ones make and answer
	// them, as relay does. Without it those that are not open are leaves.
	Calls bool
	// Trace receives a line for everything that a node is told to do.
	Trace io.Writer
}

// rto is by how much a message is late that has to be sent again.
const rto = 200 * time.Millisecond

// Sim is one network and its hosts.
type Sim struct {
	cfg    Config
	rand   *rand.Rand
	start  time.Time
	now    time.Time
	t      int64 // now, in nanoseconds since the start
	queue  queue
	hosts  []*Host
	delays map[[2]int]time.Duration // those that were set
	cuts   map[[2]int]time.Time     // one-way, until when
	split  func(*Host) int          // hosts of different parts do not hear each other
	heal   time.Time
	epochs []epoch
	looks  int     // at the whole tree
	pairs  float64 // share of the pairs that meet, 0 for not drawn yet

	below     []time.Duration // how long hosts were children of liars
	forgeries int             // chunks that were turned away

	// Commits counts moves below a parent, first ones included.
	Commits int
	// Calls counts calls.
	Calls int
	// Steps counts events.
	Steps int
	// OnAppend, if set, is called when a host has a chunk that it did not have, with
	// the time since the one before, 0 for the first.
	OnAppend func(h *Host, c Chunk, gap time.Duration)
	// OnEnd, if set, is called when a host's process ends, before anyone knows.
	OnEnd func(h *Host, graceful bool)
	// OnMove, if set, is called when a host commits to a parent while its old one runs. It is
	// told whether that one had asked for the move, and when the host last moved without
	// being asked.
	OnMove func(h *Host, asked bool, before int64)
	// OnAction, if set, is called with everything that a node is told to do, before it is
	// done.
	OnAction func(h *Host, a tree.Action)

	err error
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
		delays: make(map[[2]int]time.Duration),
		cuts:   make(map[[2]int]time.Time),
	}
}

// Rand is the network's source of randomness.
func (s *Sim) Rand() *rand.Rand { return s.rand }

// Now is the time in the network.
func (s *Sim) Now() time.Time { return s.now }

// Elapsed is how long the network has run.
func (s *Sim) Elapsed() time.Duration { return time.Duration(s.t) }

// Hosts are all hosts, in the order in which they were added.
func (s *Sim) Hosts() []*Host { return s.hosts }

// Err is the first invariant that was broken, nil if none was.
func (s *Sim) Err() error { return s.err }

// fail records the first broken invariant; it ends the run.
func (s *Sim) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("seed %d at %v: "+format, append([]any{s.cfg.Seed, s.Elapsed()}, args...)...)
	}
}

func (s *Sim) tracing() bool { return s.cfg.Trace != nil }

func (s *Sim) tracef(h *Host, format string, args ...any) {
	if s.tracing() {
		fmt.Fprintf(s.cfg.Trace, "%12.6f %3d %s\n", s.Elapsed().Seconds(), h.Index, fmt.Sprintf(format, args...))
	}
}

// After calls f when d has passed.
func (s *Sim) After(d time.Duration, f func()) { s.at(s.t+int64(d), event{kind: evCall, f: f}) }

func (s *Sim) at(t int64, ev event) { s.queue.push(max(t, s.t), ev) }

// Run lets d pass, or stops early at the first broken invariant.
func (s *Sim) Run(d time.Duration) error {
	end := s.t + int64(d)
	for s.err == nil {
		t, ok := s.queue.next()
		if !ok || t > end {
			break
		}
		ev := s.queue.pop()
		s.setTime(t)
		s.Steps++
		s.happen(&ev)
	}
	s.setTime(end)
	return s.err
}

func (s *Sim) setTime(t int64) {
	if t != s.t {
		s.t, s.now = t, s.start.Add(time.Duration(t))
	}
}

// RunUntil runs until cond holds, for at most d, and returns how long it took.
func (s *Sim) RunUntil(d time.Duration, cond func() bool) (time.Duration, bool) {
	begin := s.t
	for !cond() {
		if time.Duration(s.t-begin) >= d || s.Run(time.Millisecond) != nil {
			return time.Duration(s.t - begin), false
		}
	}
	return time.Duration(s.t - begin), true
}

// happen lets one event happen. What was meant for a process that has ended is lost.
func (s *Sim) happen(ev *event) {
	if h := ev.host; h != nil && h.run != ev.run {
		return
	}
	switch ev.kind {
	case evCall:
		ev.f()
	case evWake:
		ev.host.woken()
	case evMessage:
		s.arrived(ev.conn, int(ev.end), ev.msg)
	case evChunk:
		s.chunkArrived(ev.conn, Chunk{ev.epoch, ev.seq}, ev.end == forged)
	case evHangUp:
		s.hungUp(ev.conn, int(ev.end))
	case evDown:
		ev.host.down(ev.link, ev.how)
	case evDial:
		s.dialStep(ev.host, ev.dial)
	case evMake:
		ev.host.makeChunk()
	case evSent:
		ev.host.sent(ev.conn, Chunk{ev.epoch, ev.seq})
	case evGauge:
		ev.host.gauge()
	}
}
