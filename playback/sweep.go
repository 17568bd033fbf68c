package playback

import (
	"context"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// quickSweep is what a sweep may take before what is ready waits for more that may go out in the
	// same write: as long as it takes beyond that.
	quickSweep = 2 * time.Millisecond
	// minGather is what is not worth waiting for: a timer is not more exact.
	minGather = time.Millisecond
	// maxGather bounds it, for a sweep is slow if it is interrupted, too.
	maxGather = 20 * time.Millisecond
	// sweepsKept is over how many sweeps the time that one takes is averaged.
	sweepsKept = 8
	// maxFlat bounds what a sweep writes, and what a piece may have for it. A connection does not take
	// more at once.
	maxFlat = 1 << 20
	// sweepRun is how many viewers are written to before others may have the processor.
	sweepRun = 32
	// tellEvery is how old what a viewer's status says may be while its sweeper writes to it; when nothing more comes it
	// is told within probeEvery.
	tellEvery = 100 * time.Millisecond
)

// sweeper writes what comes next in a reel to all viewers who have taken all before it, in one
// goroutine: to wake a goroutine for each costs more than many a write. A viewer whose connection
// does not take all at once gets the rest from its own goroutine, and comes back when it has caught
// up.
type sweeper struct {
	reel  *reel
	batch time.Duration // as in Config
	kick  chan struct{} // there are some in coming, or some that leave
	quit  chan struct{}
	done  chan struct{}

	leaving, waiting atomic.Int32 // viewers

	mu     sync.Mutex
	coming []*swept

	// The rest belongs to run.
	seats  []seat
	at     uint64        // index of the piece that comes next for who has got least
	seen   time.Time     // when that was there, zero if it is not
	took   time.Duration // by a sweep, on average
	parts  net.Buffers
	flat   []byte      // what is in parts: it is cheaper to copy it once than to have the system gather it for each
	begins []beginning // of each piece in parts
	to     uint64      // index of the piece behind parts
	mark   *mark       // of the last piece in parts; seats have it, too
	told   time.Time   // when the viewers' status was last brought up to date
}

// beginning is where in a sweep's parts a piece begins.
type beginning struct{ part, bytes int }

func newSweeper(r *reel, batch time.Duration) *sweeper {
	s := &sweeper{reel: r, batch: batch, kick: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	go s.run() // ends with close
	return s
}

// close ends the sweeper, in which no viewer waits any more.
func (s *sweeper) close() {
	close(s.quit)
	<-s.done
}

// wait leaves a viewer to the sweeper. It returns what its goroutine has to write itself before it
// goes on, or why the viewer's connection is of no more use, or when ctx ends.
func (s *sweeper) wait(ctx context.Context, v *swept) (net.Buffers, error) {
	v.left.Store(false)
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	s.mu.Lock()
	s.coming = append(s.coming, v)
	s.mu.Unlock()
	s.wake()
	select {
	case b := <-v.back:
		return b.rest, b.err
	case <-ctx.Done():
	}
	v.left.Store(true)
	s.leaving.Add(1)
	s.wake()
	<-v.back
	return nil, nil
}

func (s *sweeper) wake() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

func (s *sweeper) run() {
	defer close(s.done)
	look := time.NewTicker(probeEvery)
	defer look.Stop()
	pace := time.NewTimer(0)
	defer pace.Stop()
	for {
		s.admit()
		var wait <-chan struct{}
		if len(s.seats) > 0 {
			wait = s.ready()
		}
		var early <-chan time.Time
		if wait == nil && len(s.seats) > 0 {
			d := s.gather()
			if d <= 0 {
				s.sweep()
				continue
			}
			pace.Reset(d)
			early = pace.C
		}
		select {
		case <-wait:
		case <-early:
			s.sweep()
		case <-s.kick:
		case <-look.C:
			s.look()
		case <-s.quit:
			return
		}
	}
}

// admit takes in the viewers that are coming, and hands back those who leave.
func (s *sweeper) admit() {
	s.mu.Lock()
	for i, v := range s.coming {
		if len(s.seats) == 0 || v.place.at < s.at {
			s.at = v.place.at
		}
		s.seats = append(s.seats, v.seat())
		s.coming[i] = nil
	}
	s.coming = s.coming[:0]
	s.mu.Unlock()
	if s.leaving.Swap(0) > 0 {
		s.keep(func(v *seat) bool {
			if !v.of.left.Load() {
				return true
			}
			v.handBack(handback{})
			return false
		})
	}
}

// keep forgets the seats of which f reports false, whose viewers have been handed back.
func (s *sweeper) keep(f func(*seat) bool) {
	kept := 0
	for i := range s.seats {
		if !f(&s.seats[i]) {
			continue
		}
		if kept != i {
			s.seats[kept] = s.seats[i]
		}
		kept++
	}
	clear(s.seats[kept:])
	s.seats = s.seats[:kept]
}

// ready returns nothing if there is something to sweep, or a channel that is closed when there may
// be. If there will be no more, everybody is handed back.
func (s *sweeper) ready() <-chan struct{} {
	r := s.reel
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.at < r.end() {
		return nil
	}
	wait, err := r.advance()
	if err != nil {
		s.keep(func(v *seat) bool { v.handBack(handback{}); return false })
	}
	return wait
}

// collect takes the pieces that are to be swept.
func (s *sweeper) collect() {
	clear(s.parts)
	s.parts, s.begins, s.flat = s.parts[:0], s.begins[:0], s.flat[:0]
	if cap(s.flat) > maxBatch {
		s.flat = nil
	}
	r := s.reel
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.at < r.first {
		s.keep(func(v *seat) bool {
			if v.at >= r.first {
				return true
			}
			v.handBack(handback{})
			return false
		})
		s.at = r.first
	}
	for s.to = s.at; s.more(); s.to++ {
		p := r.at(s.to)
		s.begins = append(s.begins, beginning{len(s.parts), len(s.flat)})
		for _, b := range p.out {
			s.parts, s.flat = append(s.parts, b), append(s.flat, b...)
		}
	}
	if s.to > s.at {
		last := r.at(s.to - 1).mark
		s.mark = &last
	}
}

// more reports whether the piece that comes next is there, and goes out with what was collected. It is called with
// the reel's mu held.
func (s *sweeper) more() bool {
	r := s.reel
	for s.to == r.end() {
		if wait, err := r.advance(); wait != nil || err != nil {
			return false
		}
	}
	size := len(s.flat) + r.at(s.to).size
	return size <= maxFlat && (len(s.flat) == 0 || size <= maxBatch)
}

// gather returns for how long what is ready has still to wait for more.
func (s *sweeper) gather() time.Duration {
	now := time.Now()
	if s.seen.IsZero() {
		s.seen = now
	}
	return gatherTime(s.took, s.batch) - now.Sub(s.seen)
}

// gatherTime returns how long what is ready waits for more, where a sweep takes as long as took
// and what goes out may be late by batch: for the last viewer, too, and if a sweep takes twice as long.
func gatherTime(took, batch time.Duration) time.Duration {
	d := max(min(took-quickSweep, maxGather), batch-2*took)
	if d < minGather {
		return 0
	}
	return d
}

// sweep writes what is ready to everybody.
func (s *sweeper) sweep() {
	begun, before := time.Now(), s.mark
	s.collect()
	if s.to == s.at { // a piece that is too large for this
		s.keep(func(v *seat) bool { v.handBack(handback{}); return false })
		return
	}
	n := 0
	s.keep(func(v *seat) bool {
		if n++; n%sweepRun == 0 {
			runtime.Gosched()
		}
		return s.write(v)
	})
	s.at = s.to
	s.seen = time.Time{}
	if begun.Sub(s.told) >= tellEvery || before == nil || s.mark.gapped(*before) {
		s.tell(begun)
	}
	s.took += (time.Since(begun) - s.took) / sweepsKept
}

// write writes to one viewer, and reports whether that took all.
func (s *sweeper) write(v *seat) bool {
	if v.at >= s.to { // it has come from ahead
		return true
	}
	if v.said != nil {
		if b := v.said(); len(b) > 0 {
			v.handBack(handback{rest: net.Buffers{b}})
			return false
		}
	}
	from := s.begins[v.at-s.at]
	n, err := v.file.Put(s.flat[from.bytes:])
	if err != nil {
		v.handBack(handback{err: err})
		return false
	}
	v.wrote(n, s.to, s.mark)
	if n == len(s.flat)-from.bytes {
		return true
	}
	v.handBack(handback{rest: behind(s.parts[from.part:], n)})
	return false
}

// tell brings the viewers' status up to date.
func (s *sweeper) tell(now time.Time) {
	for i := range s.seats {
		s.seats[i].tell()
	}
	s.told = now
}

// behind returns what is left of parts behind n bytes, as a list of its own.
func behind(parts net.Buffers, n int) net.Buffers {
	for len(parts) > 0 && len(parts[0]) <= n {
		n -= len(parts[0])
		parts = parts[1:]
	}
	rest := append(net.Buffers(nil), parts...)
	if len(rest) > 0 {
		rest[0] = rest[0][n:]
	}
	return rest
}

// look hands back viewers who have left while nothing came for them, and tells what the last sweep before a pause has
// not.
func (s *sweeper) look() {
	s.reel.tidy()
	s.tell(time.Now())
	s.keep(func(v *seat) bool {
		busy := v.of.busy
		v.of.busy = false
		if !busy && v.of.gone() {
			v.handBack(handback{err: net.ErrClosed})
			return false
		}
		return true
	})
}
