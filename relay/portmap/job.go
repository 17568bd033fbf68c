package portmap

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"relay/relay/oneline"
)

// timing is how often things are done.
type timing struct {
	grace   time.Duration // how long a protocol waits for a better one
	check   time.Duration // how often the router is asked whether it still has the mapping
	least   time.Duration // renewals are no closer than this, whatever lease a router gives
	forever time.Duration // how often a mapping without a lease is renewed
	again   time.Duration // pause after nobody answered, doubled each time
	refused time.Duration // pause after a refusal, and the longest of the others
	goodbye time.Duration // how long removing may take
}

var usual = timing{
	grace:   300 * time.Millisecond,
	check:   time.Minute,
	least:   4 * time.Second, // RFC 6887 §11.2.1
	forever: 30 * time.Minute,
	again:   30 * time.Second,
	refused: 10 * time.Minute,
	goodbye: 2 * time.Second, // as long as children may take to move: two requests to a slow router
}

// job keeps the port open in one router, or for one IPv6 address. Its fields are static;
// its state belongs to the goroutine in run.
type job struct {
	timing
	local      netip.Addr
	port       uint16
	candidates []candidate
	gateways   map[method]netip.Addr // whom each candidate asks
	poked      chan struct{}         // holds one
	report     func(result)
	log        *zap.Logger
}

// result is what a job has to tell.
type result struct {
	mapping  Mapping // not valid if External is not
	failures []Failure
}

// run works until ctx ends, and removes what it mapped.
func (j *job) run(ctx context.Context) {
	for pause := j.again; ctx.Err() == nil; {
		c, g, attempts := race(ctx, j.candidates, j.grace)
		if c.method != nil {
			j.keep(ctx, c, g)
			pause = j.again
			continue
		}
		if ctx.Err() != nil {
			break
		}
		failures, worst := j.failures(attempts)
		j.report(result{failures: failures})
		wait := pause
		pause = min(2*pause, j.refused)
		if worst == Refused || worst == Full || worst == Unsupported {
			wait = j.refused
		}
		if j.sleep(ctx, wait) {
			pause = j.again
		}
	}
	// A candidate that failed half-way may have left something.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), j.goodbye)
	defer cancel()
	var all sync.WaitGroup // one that is not answered must not take the time of the one that has mapped
	for _, c := range j.candidates {
		all.Go(func() {
			if err := c.close(end); err != nil {
				j.log.Debug("cannot remove a port mapping", zap.String("protocol", string(c.protocol)), zap.Error(err))
			}
		})
	}
	all.Wait()
}

func (j *job) failures(attempts []attempt) ([]Failure, Reason) {
	var all []Failure
	worst := None
	for _, a := range attempts {
		r := reasonOf(a.err)
		worst = max(worst, r)
		detail := oneline.Clean(a.err.Error(), 250)
		all = append(all, Failure{a.protocol, j.gateways[a.method], netip.AddrPortFrom(j.local, j.port), r, detail})
		j.log.Debug("no port mapping", zap.String("protocol", string(a.protocol)), zap.Stringer("gateway", j.gateways[a.method]),
			zap.Stringer("reason", r), zap.String("detail", detail))
	}
	return all, worst
}

// keep renews a mapping until the router no longer gives it, or ctx ends.
func (j *job) keep(ctx context.Context, c candidate, g grant) {
	var m Mapping
	got := time.Now()
	take := func() {
		if m.External != g.external {
			m = Mapping{Protocol: c.protocol, Gateway: j.gateways[c.method], Internal: netip.AddrPortFrom(j.local, j.port), External: g.external, Since: got}
			m.Reason = judge(g.external.Addr())
		}
		m.UDP, m.Lease = g.udp, g.lease
		j.report(result{mapping: m})
	}
	take()
	renewal := got.Add(j.half(g.lease))
	for {
		next := min(time.Until(renewal), j.check)
		poked := j.sleep(ctx, next)
		if ctx.Err() != nil {
			return
		}
		if now := time.Now(); !poked && now.Before(renewal) {
			if err := c.check(ctx); !errors.Is(err, errForgotten) {
				continue // the router may be starting again: it is asked until it says
			}
			j.log.Debug("the router has forgotten the port mapping", zap.String("protocol", string(c.protocol)))
		}
		fresh, err := c.open(ctx)
		if err == nil {
			g, got = fresh, time.Now()
			take()
			renewal = got.Add(j.half(g.lease))
			continue
		}
		if ctx.Err() != nil {
			return
		}
		left := time.Until(got.Add(g.lease))
		if reasonOf(err) != NoAnswer || left <= j.least || poked {
			j.log.Debug("a port mapping is lost", zap.String("protocol", string(c.protocol)), zap.Error(err))
			return
		}
		renewal = time.Now().Add(max(left/2, j.least))
	}
}

// half is when a lease is renewed.
func (j *job) half(lease time.Duration) time.Duration {
	if lease == 0 {
		return j.forever
	}
	return max(lease/2, j.least)
}

// sleep waits, and reports whether it was woken by a poke.
func (j *job) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-j.poked:
		return true
	}
	return false
}
