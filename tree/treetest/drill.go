package treetest

import (
	"fmt"
	"time"
)

// Fault is something that goes wrong in a crowd, and what puts it right.
type Fault struct {
	Name string
	// Strike lets it happen and returns the hosts to which it happens. It is called when
	// all is well.
	Strike func(d *Drill) []*Host
	// Self says that the hosts to which it happens must not notice it either.
	Self bool
	// Lead is how long it lasts before anything is measured. Hosts that a partition cuts off
	// are without data; the question is how soon they have it again.
	Lead time.Duration
	// Watch is how long the crowd is measured.
	Watch time.Duration
	// Gossip, if set, replaces the crowd's.
	Gossip *Gossip
}

// Faults are the faults that are tried, in the order in which they are shown.
var Faults = []Fault{
	{Name: "kill", Watch: 6 * time.Second, Strike: func(d *Drill) []*Host {
		return d.each(d.inner(1), (*Host).Kill)
	}},
	{Name: "unplug", Watch: 8 * time.Second, Strike: func(d *Drill) []*Host {
		return d.each(d.inner(1), (*Host).PowerOff)
	}},
	{Name: "freeze", Watch: 8 * time.Second, Strike: func(d *Drill) []*Host {
		return d.each(d.inner(1), func(h *Host) { h.Freeze(6 * time.Second) })
	}},
	{Name: "oneway", Watch: 8 * time.Second, Strike: func(d *Drill) []*Host {
		return d.each(d.inner(1), func(h *Host) {
			for _, c := range h.children {
				d.Sim.Cut(h, c.ends[0], 6*time.Second)
			}
		})
	}},
	{Name: "link", Watch: 8 * time.Second, Strike: func(d *Drill) []*Host {
		return d.each(d.inner(1), func(h *Host) {
			for _, c := range h.children {
				d.Sim.Cut(h, c.ends[0], 6*time.Second)
				d.Sim.Cut(c.ends[0], h, 6*time.Second)
			}
		})
	}},
	{Name: "slow", Watch: 15 * time.Second, Strike: func(d *Drill) []*Host {
		return d.each(d.inner(1), func(h *Host) {
			was := h.Uplink
			h.Uplink = int64(0.7 * float64(len(h.children)) * float64(d.Sim.cfg.Stream.bitRate()))
			d.Sim.After(15*time.Second, func() { h.Uplink = was })
		})
	}},
	{Name: "leave", Watch: 6 * time.Second, Strike: func(d *Drill) []*Host {
		return d.each(d.inner(1), (*Host).Leave)
	}},
	{Name: "partition", Lead: 30 * time.Second, Watch: 15 * time.Second, Strike: func(d *Drill) []*Host {
		cut := map[*Host]bool{}
		for _, h := range d.alive {
			if d.rand.IntN(3) == 0 {
				cut[h] = true
			}
		}
		d.Sim.Partition(30*time.Second, func(h *Host) int {
			if cut[h] {
				return 1
			}
			return 0
		})
		return nil
	}},
	{Name: "20%", Watch: 10 * time.Second, Strike: func(d *Drill) []*Host {
		return d.each(d.some(len(d.alive)/5), (*Host).Kill)
	}},
	{Name: "50%", Watch: 15 * time.Second, Strike: func(d *Drill) []*Host {
		return d.each(d.some(len(d.alive)/2), (*Host).Kill)
	}},
	{Name: "clock", Self: true, Watch: 8 * time.Second, Strike: func(d *Drill) []*Host {
		by := time.Duration(d.rand.Int64N(int64(10 * time.Second))) // never back, for the clock is monotonic
		return d.each(d.inner(1), func(h *Host) { h.Jump(by) })
	}},
	{Name: "restart", Watch: 15 * time.Second, Strike: func(d *Drill) []*Host {
		d.Root.Kill()
		d.Sim.After(500*time.Millisecond, d.Root.Restart)
		return nil
	}},
	{Name: "stale", Watch: 10 * time.Second, Gossip: &Gossip{
		Sample: 20, Stale: 30 * time.Second, Least: 15 * time.Second, Most: 30 * time.Second,
	}, Strike: func(d *Drill) []*Host {
		return d.each(d.some(len(d.alive)/5), (*Host).Kill)
	}},
}

// Drill is a crowd on which faults are tried.
type Drill struct {
	*Population
	Fault Fault
	Found Findings
}

// Findings are what faults of one kind did to hosts that had no part in them.
type Findings struct {
	Trials  int
	Victims int             // hosts below those that were struck
	Gaps    []time.Duration // for each, the longest time without a chunk
	Missed  uint64          // chunks that they never got
	Again   uint64          // chunks that came twice; the second is dropped
	Whole   []time.Duration // until everybody else had a way up to the root again
	Steady  []time.Duration // until nobody was half a second behind any more
	Stuck   int             // trials in which somebody still was when the watch ended
	Moves   int             // of all hosts during the watch
}

const (
	// calm is how long a crowd is left alone between two faults, and patient how long it
	// may take until all are served.
	calm    = 12 * time.Second
	patient = 2 * time.Minute
	// behind is the lag from which on a host counts as noticeably hurt.
	behind = 500 * time.Millisecond
	look   = 10 * time.Millisecond
)

// NewDrill sets a crowd up and waits until it is calm.
func NewDrill(s *Sim, c Crowd, f Fault) (*Drill, error) {
	if f.Gossip != nil {
		c.Gossip = *f.Gossip
	}
	d := &Drill{Population: NewPopulation(s, c), Fault: f}
	if err := s.Run(c.Spread); err != nil {
		return d, err
	}
	return d, d.settle()
}

// settle waits for everybody to be served, and a while longer.
func (d *Drill) settle() error {
	whole := func() bool { _, lost := d.Sim.Depths(); return lost == 0 }
	if took, ok := d.Sim.RunUntil(patient, whole); !ok {
		if d.Sim.Err() != nil {
			return d.Sim.Err()
		}
		return fmt.Errorf("seed %d: %s: not whole after %v of calm", d.Sim.cfg.Seed, d.Fault.Name, took)
	}
	return d.Sim.Run(calm)
}

// Try lets the fault happen once, measures, and puts it right.
func (d *Drill) Try() error {
	s, f := d.Sim, &d.Found
	everyone := append([]*Host(nil), d.alive...)
	below := map[*Host]bool{}
	hit := d.strike(below)
	if err := s.Run(d.Fault.Lead); err != nil {
		return err
	}
	var victims []*Host
	for _, h := range everyone {
		if !hit[h] && (below[h] || len(hit) == 0) || hit[h] && d.Fault.Self {
			victims = append(victims, h)
			h.maxGap, h.before.lost, h.before.again = 0, h.lost, h.again
			if d.Fault.Lead > 0 {
				h.lastAt = max(h.lastAt, s.t) // what was before does not count
			}
		}
	}
	began, moves := s.t, s.Commits
	var whole, steady int64
	for s.t < began+int64(d.Fault.Watch) {
		if err := s.Run(look); err != nil {
			return err
		}
		if !s.whole(everyone, hit) {
			whole = s.t - began
		}
		for _, h := range victims {
			if h.Lag() > behind || h.head.Epoch != d.Root.head.Epoch {
				steady = s.t - began
				break
			}
		}
	}
	f.Trials++
	f.Victims += len(victims)
	f.Moves += s.Commits - moves
	f.Whole = append(f.Whole, time.Duration(whole))
	f.Steady = append(f.Steady, time.Duration(steady))
	if max(whole, steady) >= int64(d.Fault.Watch-look) {
		f.Stuck++
	}
	for _, h := range victims {
		f.Gaps = append(f.Gaps, time.Duration(max(h.maxGap, s.t-h.lastAt)))
		f.Missed += h.lost - h.before.lost
		f.Again += h.again - h.before.again
	}
	for _, h := range everyone {
		if !h.alive {
			h.Restart()
			d.gossip.tell(h)
		}
	}
	return d.settle()
}

// strike lets the fault happen and returns the hosts that it struck. below are all hosts that
// took the stream from those at that moment.
func (d *Drill) strike(below map[*Host]bool) map[*Host]bool {
	up := map[*Host]*Host{}
	for _, h := range d.alive {
		up[h] = h.Parent()
	}
	hit := map[*Host]bool{}
	for _, h := range d.Fault.Strike(d) {
		hit[h] = true
	}
	for _, h := range d.alive {
		for p := up[h]; p != nil; p = up[p] {
			if hit[p] {
				below[h] = true
			}
		}
	}
	return hit
}

// inner draws n hosts that have children.
func (d *Drill) inner(n int) []*Host {
	var hs []*Host
	for _, h := range d.alive {
		if len(h.children) > 0 {
			hs = append(hs, h)
		}
	}
	d.rand.Shuffle(len(hs), func(i, j int) { hs[i], hs[j] = hs[j], hs[i] })
	return hs[:min(n, len(hs))]
}

// some draws n hosts.
func (d *Drill) some(n int) []*Host {
	hs := append([]*Host(nil), d.alive...)
	d.rand.Shuffle(len(hs), func(i, j int) { hs[i], hs[j] = hs[j], hs[i] })
	return hs[:n]
}

func (d *Drill) each(hs []*Host, f func(*Host)) []*Host {
	for _, h := range hs {
		f(h)
	}
	return hs
}
