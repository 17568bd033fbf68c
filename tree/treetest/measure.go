package treetest

import (
	"slices"
	"time"
)

const (
	// sampleEvery is how often the whole tree is measured.
	sampleEvery = 5 * time.Second
	// shortSession is the least that a session lasts to be judged by its chunks.
	shortSession = time.Minute
	// goodShare of its chunks in time make a session good.
	goodShare = 0.99
	// restTime is the least time there should be between two optional moves of a node.
	restTime = 30 * time.Second
	// refusedAfter is how long a newcomer waits for the first chunk at most.
	refusedAfter = 10 * time.Second
)

// Measures is what a run of a population has shown between two moments.
type Measures struct {
	Nodes    int           // mean number, the root apart
	Took     time.Duration // simulated
	Depth    []float64     // mean depth over ideal mean depth of what can be reached, of each look
	Over     []int         // deepest less ideal deepest, of each look
	Lost     int           // most nodes without a way to the root at one look
	Real     Levels        // all looks together
	Ideal    Levels
	Orphan   time.Duration   // the longest time that a node was without a parent
	Losses   int             // deaths of an ancestor, counted for each node below
	Hours    float64         // of nodes with a way to the root
	Expected float64         // deaths of an ancestor, from the chances of those present to go
	Came     []Arrival       // in the order of coming
	First    []time.Duration // from joining to the first chunk
	Refused  int             // no chunk within refusedAfter, or before they left
	Sessions int             // of a minute and more
	Good     int             // with 99% of the chunks in time
	Clean    int             // with all of them
	Outages  []time.Duration // times without a chunk beyond the interval, 100 ms or more
	Skipped  uint64          // chunks that never came
	Again    uint64          // chunks that came twice
	Chunks   uint64
	Moves    int // away from a parent that lived and had not asked for it
	Flaps    int // moves of that kind within 30 s of the one before
	Asked    int // moves that the old parent had asked for
	Commits  int
	Bytes    uint64 // of control frames
	Messages uint64
}

// Watch measures a population from now on, until the function it returns is called.
func (p *Population) Watch() func() Measures {
	w := &watch{p: p, s: p.Sim, begin: p.Sim.t}
	for _, h := range p.Sim.hosts {
		b := &h.before
		b.bytes, b.messages, b.lost, b.late, b.again, b.head = h.bytes, h.messages, h.lost, h.late, h.again, h.head.Seq
	}
	w.m.Commits = -p.Sim.Commits
	p.OnJoin = func(h *Host) {
		w.m.Came = append(w.m.Came, Arrival{p.Sim.Elapsed(), Member{Slots: h.Slots, Kind: h.Kind}})
		h.counted = true
	}
	p.Sim.OnAppend = w.append
	p.Sim.OnEnd = w.ends
	p.Sim.OnMove = w.moved
	p.Sim.After(0, w.look)
	return w.end
}

// watched is what a host's counters showed when the watch began.
type watched struct {
	counted bool // it joined since
	before  struct{ bytes, messages, lost, late, again, head uint64 }
}

type watch struct {
	p     *Population
	s     *Sim
	m     Measures
	begin int64
	nodes int
	over  bool
}

func (w *watch) look() {
	if w.over {
		return
	}
	w.s.After(sampleEvery, w.look)
	real, lost := w.s.Depths()
	for _, h := range w.p.alive {
		if h.up == nil && h.alive && !h.frozen {
			w.m.Orphan = max(w.m.Orphan, time.Duration(w.s.t-h.orphan))
		}
		w.s.checkLong(h)
	}
	ideal := w.p.ideal()
	w.nodes += len(w.p.alive)
	w.m.Lost = max(w.m.Lost, lost)
	if ideal.Mean() > 0 {
		w.m.Depth = append(w.m.Depth, real.Mean()/ideal.Mean())
		w.m.Over = append(w.m.Over, real.Deepest()-ideal.Deepest())
	}
	for d, n := range real {
		if d > 0 {
			w.m.Real.add(d, n)
			w.m.Hours += float64(n) * sampleEvery.Hours()
		}
	}
	w.expect()
	for d, n := range ideal {
		if d > 0 {
			w.m.Ideal.add(d, n)
		}
	}
}

// expect adds the deaths of an ancestor that are to be expected until the next look, from the ages of those
// present. Few deaths make most of the real losses, so that those say less.
func (w *watch) expect() {
	hazard := w.p.Crowd.Sessions.hazard
	if hazard == nil {
		return
	}
	for _, h := range w.p.alive {
		if h.up == nil {
			continue
		}
		w.m.Expected += hazard(w.s.now.Sub(h.came).Seconds()) * sampleEvery.Seconds() * float64(len(h.Below()))
	}
}

func (w *watch) append(h *Host, c Chunk, gap time.Duration) {
	if h.Root || h.Fake != nil {
		return
	}
	w.m.Chunks++
	if h.first == c && h.counted {
		w.m.First = append(w.m.First, time.Duration(h.firstAt-h.born))
	}
	if gap -= w.s.cfg.Stream.Interval; gap >= 100*time.Millisecond {
		w.m.Outages = append(w.m.Outages, gap)
	}
}

func (w *watch) ends(h *Host, graceful bool) {
	if h.Root {
		return
	}
	if !graceful {
		w.m.Losses += len(h.Below())
	}
	w.judge(h)
	w.total(h)
}

// moved is told of a move from one parent to another while the first still lived.
func (w *watch) moved(_ *Host, asked bool, before int64) {
	switch {
	case asked:
		w.m.Asked++
	default:
		w.m.Moves++
		if before != 0 && w.s.t-before < int64(restTime) {
			w.m.Flaps++
		}
	}
}

// judge counts a session that is over, or is cut off by the end of the watch.
func (w *watch) judge(h *Host) {
	interval := int64(w.s.cfg.Stream.Interval)
	from := max(h.born, w.begin)
	if interval == 0 || h.Fake != nil {
		return
	}
	if h.counted && (h.first.Epoch == 0 && w.s.t-h.born > int64(refusedAfter) || h.firstAt-h.born > int64(refusedAfter)) {
		w.m.Refused++
	}
	if w.s.t-from < int64(shortSession) {
		return
	}
	w.m.Sessions++
	if h.first.Epoch == 0 {
		return
	}
	// Only chunks count that were made early enough to be due by now.
	due := uint64(0)
	if d := w.s.t - int64(Buffer) - w.s.epochs[h.head.Epoch-1].start; d > 0 {
		due = uint64(d / interval)
	}
	start := max(h.before.head+1, h.first.Seq)
	if due < start {
		return
	}
	bad := h.lost - h.before.lost + h.late - h.before.late + uint64(h.waited)/uint64(interval)
	if due > h.head.Seq {
		bad += due - h.head.Seq
	}
	if bad == 0 {
		w.m.Clean++
	}
	if float64(bad) <= (1-goodShare)*float64(due-start+1) {
		w.m.Good++
	}
}

func (w *watch) total(h *Host) {
	w.m.Bytes += h.bytes - h.before.bytes
	w.m.Messages += h.messages - h.before.messages
	w.m.Skipped += h.lost - h.before.lost
	w.m.Again += h.again - h.before.again
}

func (w *watch) end() Measures {
	w.over = true
	w.s.OnAppend, w.s.OnEnd, w.s.OnMove, w.p.OnJoin = nil, nil, nil, nil
	for _, h := range w.s.hosts {
		if h.alive && !h.Root {
			w.judge(h)
		}
		if h.alive {
			w.total(h)
		}
	}
	w.m.Took = time.Duration(w.s.t - w.begin)
	w.m.Nodes = w.nodes / max(1, len(w.m.Depth))
	w.m.Commits += w.s.Commits
	return w.m
}

// Ratio is the mean of Depth.
func (m *Measures) Ratio() float64 {
	sum := 0.0
	for _, d := range m.Depth {
		sum += d
	}
	return sum / float64(max(1, len(m.Depth)))
}

// MostOver is by how much the tree was deeper than the ideal one at worst.
func (m *Measures) MostOver() int {
	if len(m.Over) == 0 {
		return 0
	}
	return slices.Max(m.Over)
}

// LossRate is ancestors lost per node and hour.
func (m *Measures) LossRate() float64 { return float64(m.Losses) / max(m.Hours, 1e-9) }

// GoodShare is the share of sessions of a minute and more with 99% of their chunks in
// time.
func (m *Measures) GoodShare() float64 { return float64(m.Good) / max(1, float64(m.Sessions)) }

// ControlRate is what a node sends besides chunks, in bits/s: first the frames alone, then
// with the overhead if each goes in a packet of its own.
func (m *Measures) ControlRate() (frames, packets float64) {
	secs := m.Took.Seconds() * float64(m.Nodes)
	return float64(8*m.Bytes) / secs, float64(8*(m.Bytes+FrameOverhead*m.Messages)) / secs
}

// Quantile is the value below which a share q of ds lies; it sorts them.
func Quantile(ds []time.Duration, q float64) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	slices.Sort(ds)
	return ds[min(len(ds)-1, int(q*float64(len(ds))))]
}
