//go:build e2e && linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// mostTags is how many tags one run has room for, a second: more than any encoder sends.
	mostTags = 500
	// joinTime bounds the time until every viewer has a tag, and drainTime the time until
	// all have the last one of the window.
	joinTime  = 60 * time.Second
	drainTime = 20 * time.Second
	look      = 20 * time.Millisecond
	peakEvery = 100 * time.Millisecond
	// spare is how many more viewers a server has room for than come: some leave while others
	// come.
	spare = 100
)

// plan is what every run has in common.
type plan struct {
	clip         *clip
	machine      machine
	shared       bool // this process is on the server's cores
	warm, window time.Duration
	stalled      int // viewers that take nothing, besides the others
	burst        int // viewers that come in the first second of the window, besides the others
	joins        int // viewers that come one after the other in the window, and leave
}

// result is what one run has measured.
type result struct {
	n        int
	cpu      time.Duration // of the server, in the window
	window   time.Duration
	bytes    uint64 // that viewers read in the window
	p50, p99 time.Duration
	first99  time.Duration // p99 of the time that a guest waited for its first tag
	joins    spread        // of the times that those who came alone waited for the first key frame
	polls    float64       // a second, of a playlist
	fetches  float64       // a second, of segments
	rss      int           // bytes, at the end of the window
	peak     int           // bytes, the most of it since the viewers came
	flaws    flaws
	// The measuring side: its share of its core, and how late it was (p99) at a timer, and at
	// what it published.
	busy              float64
	late, publishLate time.Duration
	others            float64 // share of the server's core that other programs took
	cores             int     // that the server had
	shared            bool    // with the measuring side
	load              float64 // load average at the end
}

// perGB is the server's CPU time in seconds for each 10^9 bytes that viewers read.
func (r result) perGB() float64 { return r.cpu.Seconds() / (float64(r.bytes) / 1e9) }

// core is the share of a core that the server used.
func (r result) core() float64 { return r.cpu.Seconds() / r.window.Seconds() }

const (
	// tooBusy is the share of its core from which this process counts as the bottleneck.
	tooBusy = 0.85
	// tooLate is the part of the p99 delay that its own lateness may be. Below lateFloor
	// lateness is what a timer has on any machine.
	tooLate   = 0.5
	lateFloor = 500 * time.Microsecond
	// tooMany is the share of the server's core from which other programs count.
	tooMany = 0.1
)

// spread is how times are spread.
type spread struct{ p50, p99, most time.Duration }

func spreadOf(ds []time.Duration) spread {
	return spread{quantile(ds, .5), quantile(ds, .99), quantile(ds, 1)}
}

// doubt is why a run tells little of the server, "" if nothing speaks against it.
func (r result) doubt() string {
	switch {
	case r.others > tooMany*float64(r.cores):
		return "others took the server's core"
	case r.shared:
		if r.busy+r.core() > tooBusy*float64(r.cores) {
			return "the machine was full"
		}
	case r.busy > tooBusy, r.n > 0 && r.late > lateFloor && float64(r.late) > tooLate*float64(r.p99):
		return "measuring was the bottleneck"
	}
	return ""
}

// run starts a server, lets n viewers watch, and measures. Without viewers it measures what the
// stream alone costs.
func (p plan) run(ctx context.Context, of contestant, n int) (r result, err error) {
	m := p.machine
	m.most = n + p.stalled + p.burst + p.joins + spare
	if m.dir, err = os.MkdirTemp("", "relay-load-"); err != nil {
		return r, err
	}
	defer os.RemoveAll(m.dir)
	s, err := of.start(m)
	if err != nil {
		return r, err
	}
	defer func() {
		s.stop()
		if err != nil && s.said.Len() > 0 {
			err = fmt.Errorf("%w\nthe server said:\n%s", err, &s.said)
		}
	}()
	h := newHistory(p.clip, mostTags*int((joinTime+p.warm+p.window+drainTime)/time.Second))
	pub, err := s.publish(h)
	if err != nil {
		return r, fmt.Errorf("publish: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	published := make(chan struct{})
	go func() { // ends with ctx
		defer close(published)
		if err := pub.run(ctx); err != nil {
			cancel(err)
		}
	}()
	crowds := 1
	if p.shared {
		crowds = len(m.cores)
	}
	c, err := openAudience(h, crowds)
	if err != nil {
		cancel(nil)
		<-published
		return r, err
	}
	defer c.close()
	defer func() { cancel(nil); <-published }()
	r, err = p.measure(ctx, s, c, n)
	if err == nil {
		cancel(nil)
		<-published
		r.publishLate = quantile(pub.late, .99)
	}
	return r, err
}

// measure lets viewers in and looks at them and at the server for a window.
func (p plan) measure(ctx context.Context, s *server, c *audience, n int) (r result, err error) {
	if err := wait(ctx, joinTime, func() bool { return c.sent.count() > 0 }); err != nil {
		return r, err
	}
	if s.play == "" && p.stalled+p.burst+p.joins > 0 {
		return r, errors.New("-stalled, -burst and -joins are for viewers with a connection each")
	}
	if s.come == nil {
		s.come = watching(s.play)
	}
	if err := c.attach(ctx, n, s.come); err != nil {
		return r, err
	}
	if err := wait(ctx, joinTime, func() bool { return c.begun() == n || c.failure() != nil }); err != nil {
		return r, fmt.Errorf("%d of %d viewers have a tag: %w", c.begun(), n, err)
	}
	leave, err := c.stall(p.stalled, s.play)
	defer leave()
	if err != nil {
		return r, err
	}
	pid, peak := s.cmd.Process.Pid, 0
	if err := watchPeak(ctx, p.warm, pid, &peak); err != nil {
		return r, err
	}
	before, err := glanceAt(pid, p)
	if err != nil {
		return r, err
	}
	bytes, polls, fetches := c.bytes(), c.polls.Load(), c.fetches.Load()
	from := c.keep()
	var guests errgroup.Group // within the window, or until ctx ends
	guests.Go(func() error { return c.burst(ctx, p.burst, s.play) })
	guests.Go(func() error { return c.join(ctx, p.joins, p.window, strings.TrimSuffix(s.play, exactly)) })
	if err := watchPeak(ctx, p.window, pid, &peak); err != nil {
		return r, err
	}
	if err := guests.Wait(); err != nil {
		return r, err
	}
	after, err := glanceAt(pid, p)
	if err != nil {
		return r, err
	}
	r = result{n: n, bytes: c.bytes() - bytes, load: loadAverage(), peak: peak, cores: len(p.machine.cores), shared: p.shared}
	to := c.keep()
	if r.rss, err = resident(pid); err != nil {
		return r, err
	}
	r.cpu, r.window = after.server-before.server, after.at-before.at
	r.busy = float64(after.own-before.own) / float64(r.window)
	others := after.core - before.core - r.cpu
	if p.shared {
		others -= after.own - before.own
	}
	r.others = max(0, float64(others)/float64(r.window))
	r.polls, r.fetches = float64(c.polls.Load()-polls)/r.window.Seconds(), float64(c.fetches.Load()-fetches)/r.window.Seconds()
	if err := wait(ctx, drainTime, func() bool { return c.has(to) }); err != nil && ctx.Err() != nil {
		return r, err // otherwise the verdict tells
	}
	r.flaws = c.verdict(from, to)
	if err := c.failure(); err != nil {
		return r, fmt.Errorf("%w; %v", err, r.flaws)
	}
	delays, late, firsts := c.times()
	r.first99, r.joins = quantile(firsts, .99), spreadOf(c.joins)
	r.p50, r.p99, r.late = quantile(delays, .5), quantile(delays, .99), quantile(late, .99)
	return r, nil
}

// watchPeak waits for d, and notes the most memory that the server had meanwhile.
func watchPeak(ctx context.Context, d time.Duration, pid int, most *int) error {
	for end := now() + d; now() < end; {
		rss, err := resident(pid)
		if err != nil {
			return err
		}
		*most = max(*most, rss)
		if err := pause(ctx, min(peakEvery, end-now())); err != nil {
			return err
		}
	}
	return nil
}

// glance is how much time has been used, up to a moment.
type glance struct{ at, server, own, core time.Duration }

func glanceAt(pid int, p plan) (g glance, err error) {
	g = glance{at: now()}
	for _, core := range p.machine.cores {
		g.core += coreTime(core)
	}
	if g.server, err = cpuTime(pid); err != nil {
		return g, err
	}
	g.own, err = cpuTime(os.Getpid())
	return g, err
}

var errLate = errors.New("it takes too long")

// wait waits until ok, for at most that long.
func wait(ctx context.Context, most time.Duration, ok func() bool) error {
	for end := now() + most; !ok(); {
		if now() > end {
			return errLate
		}
		if err := pause(ctx, look); err != nil {
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// quantile returns the value below which the share q of ds is, 0 if there are none. It sorts ds.
func quantile(ds []time.Duration, q float64) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	slices.Sort(ds)
	return ds[min(len(ds)-1, int(q*float64(len(ds))))]
}

// median returns the middle one of xs, or the mean of the two in the middle; 0 if there are none.
func median(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(xs))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
