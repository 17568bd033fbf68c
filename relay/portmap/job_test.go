package portmap

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// fakeMethod answers in virtual time, and tells what was asked of it.
type fakeMethod struct {
	name  string
	delay time.Duration
	// Errors of the next calls; the last one stays.
	probes, opens, checks []error
	lease                 time.Duration
	external              string

	mu  sync.Mutex
	log []string
	at  []time.Time
	in  bool
}

func (f *fakeMethod) call(ctx context.Context, what string, errs *[]error) error {
	f.mu.Lock()
	if f.in {
		panic("calls overlap")
	}
	f.in = true
	f.log, f.at = append(f.log, what), append(f.at, time.Now())
	var err error
	if len(*errs) > 0 {
		err = (*errs)[0]
		if len(*errs) > 1 {
			*errs = (*errs)[1:]
		}
	}
	delay := f.delay
	f.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-ctx.Done():
		err = ctx.Err()
	}
	f.mu.Lock()
	f.in = false
	f.mu.Unlock()
	return err
}

func (f *fakeMethod) probe(ctx context.Context) error { return f.call(ctx, "probe", &f.probes) }
func (f *fakeMethod) check(ctx context.Context) error { return f.call(ctx, "check", &f.checks) }
func (f *fakeMethod) close(ctx context.Context) error { return f.call(ctx, "close", new([]error)) }

func (f *fakeMethod) open(ctx context.Context) (grant, error) {
	if err := f.call(ctx, "open", &f.opens); err != nil {
		return grant{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return grant{external: netip.MustParseAddrPort(cmp.Or(f.external, "11.22.33.44:7144")), udp: 7144, lease: f.lease}, nil
}

// times lists when something was asked, since start.
func (f *fakeMethod) times(what string, start time.Time) (all []time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, l := range f.log {
		if l == what {
			all = append(all, f.at[i].Sub(start))
		}
	}
	return all
}

func raceOf(t *testing.T, methods ...*fakeMethod) (winner string, took time.Duration, attempts []attempt) {
	t.Helper()
	var all []candidate
	for _, m := range methods {
		all = append(all, candidate{Protocol(m.name), m})
	}
	start := time.Now()
	c, _, attempts := race(t.Context(), all, usual.grace)
	return string(c.protocol), time.Since(start), attempts
}

var errNot = failf(Refused, "not")

func TestTheFirstThatAnswersWaitsForABetterOne(t *testing.T) {
	for name, c := range map[string]struct {
		pcp, pmp, upnp *fakeMethod
		winner         string
		took           time.Duration
	}{
		"all at once": {&fakeMethod{}, &fakeMethod{}, &fakeMethod{}, "pcp", 0},
		"the best is a little late": {
			&fakeMethod{delay: 200 * time.Millisecond}, &fakeMethod{}, &fakeMethod{},
			"pcp", 400 * time.Millisecond,
		},
		"the best is too late": {
			&fakeMethod{delay: 400 * time.Millisecond}, &fakeMethod{}, &fakeMethod{},
			"nat-pmp", 300 * time.Millisecond,
		},
		"the better ones fail": {
			&fakeMethod{probes: []error{errSilent}, delay: 50 * time.Millisecond},
			&fakeMethod{probes: []error{errSilent}, delay: 100 * time.Millisecond},
			&fakeMethod{}, "upnp", 100 * time.Millisecond,
		},
		"the best answers and refuses": {
			&fakeMethod{opens: []error{errNot}}, &fakeMethod{}, &fakeMethod{},
			"nat-pmp", 0,
		},
		"only the last gives": {
			&fakeMethod{opens: []error{errNot}}, &fakeMethod{opens: []error{errNot}}, &fakeMethod{delay: time.Second},
			"upnp", 2 * time.Second,
		},
		"nobody": {
			&fakeMethod{probes: []error{errSilent}}, &fakeMethod{opens: []error{errNot}}, &fakeMethod{probes: []error{errNot}},
			"", 0,
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			c.pcp.name, c.pmp.name, c.upnp.name = "pcp", "nat-pmp", "upnp"
			winner, took, attempts := raceOf(t, c.pcp, c.pmp, c.upnp)
			if winner != c.winner || took != c.took {
				t.Errorf("%s: %q in %v", name, winner, took)
			}
			opened := 0
			for _, m := range []*fakeMethod{c.pcp, c.pmp, c.upnp} {
				if slices.Contains(m.log, "open") && len(m.opens) == 0 {
					opened++
				}
			}
			if opened > 1 {
				t.Errorf("%s: %d have opened the port", name, opened)
			}
			if winner == "" {
				for _, a := range attempts {
					if a.err == nil {
						t.Errorf("%s: %s failed without an error", name, a.protocol)
					}
				}
			}
		})
	}
}

// told is what a job has reported.
type told struct {
	mu  sync.Mutex
	all []result
}

func (t *told) add(r result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, r)
}

func (t *told) list() []result {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.all)
}

func (t *told) last() result {
	all := t.list()
	return all[len(all)-1]
}

// jobOf runs a job with methods until the function returns, in virtual time.
func jobOf(t *testing.T, methods []*fakeMethod, f func(j *job, results *told)) {
	synctest.Test(t, func(t *testing.T) {
		var results told
		j := &job{
			timing: usual, local: client4, port: 7144, gateways: make(map[method]netip.Addr),
			poked: make(chan struct{}, 1), report: results.add, log: zap.NewNop(),
		}
		for _, m := range methods {
			j.add(Protocol(m.name), netip.MustParseAddr("192.168.1.1"), m)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			j.run(ctx)
		}()
		synctest.Wait()
		f(j, &results)
		cancel()
		<-done
		for _, m := range methods {
			if l := m.log; l[len(l)-1] != "close" {
				t.Errorf("%s was not closed: %v", m.name, l)
			}
		}
	})
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestALeaseIsRenewedInHalfItsTimeAsTheRouterGivesIt(t *testing.T) {
	for _, lease := range []time.Duration{time.Second, 20 * time.Second, time.Hour, 2 * time.Hour, leaseMost, 0} {
		m := &fakeMethod{name: "pcp", lease: lease}
		jobOf(t, []*fakeMethod{m}, func(*job, *told) {
			start := time.Now()
			want := max(lease/2, 4*time.Second)
			if lease == 0 {
				want = 30 * time.Minute
			}
			pass(3*want + time.Second)
			if got := m.times("open", start); !slices.Equal(got, []time.Duration{0, want, 2 * want, 3 * want}) && !(lease == 0 && len(got) == 4) {
				t.Errorf("lease %v: opened at %v", lease, got)
			}
		})
	}
}

func TestAMappingThatTheRouterForgotIsMadeAnewWithinAMinute(t *testing.T) {
	m := &fakeMethod{name: "upnp", lease: time.Hour, checks: []error{nil, errSilent, errSilent, errForgotten, nil}}
	jobOf(t, []*fakeMethod{m}, func(_ *job, results *told) {
		start := time.Now()
		pass(5*time.Minute + time.Second)
		if got := m.times("open", start); !slices.Equal(got, []time.Duration{0, 4 * time.Minute}) {
			t.Errorf("opened at %v", got)
		}
		for _, r := range results.list() {
			if r.mapping.Since != start {
				t.Errorf("since %v", r.mapping.Since.Sub(start))
			}
		}
	})
}

func TestARenewalThatIsNotAnsweredIsTriedUntilTheLeaseIsOver(t *testing.T) {
	m := &fakeMethod{name: "pcp", lease: time.Hour, opens: []error{nil, errSilent}, probes: []error{nil, errSilent}}
	jobOf(t, []*fakeMethod{m}, func(_ *job, results *told) {
		pass(59 * time.Minute)
		if r := results.last(); !r.mapping.External.IsValid() {
			t.Error("it was given up before the lease was over")
		}
		n := len(m.times("open", time.Time{}))
		if n < 4 || n > 20 {
			t.Errorf("it was asked for %d times", n)
		}
		pass(2 * time.Minute)
		if r := results.last(); r.mapping.External.IsValid() || len(r.failures) != 1 || r.failures[0].Reason != NoAnswer {
			t.Errorf("%+v after the lease", r)
		}
	})
}

// As with a router that gave a lease, and cannot renew it.
func TestAMappingThatIsRefusedLaterIsSought(t *testing.T) {
	pcp := &fakeMethod{name: "pcp", lease: time.Hour, opens: []error{nil, errNot}}
	upnp := &fakeMethod{name: "upnp", lease: time.Hour}
	jobOf(t, []*fakeMethod{pcp, upnp}, func(_ *job, results *told) {
		pass(31 * time.Minute)
		if r := results.last(); r.mapping.Protocol != "upnp" {
			t.Errorf("%+v", r)
		}
	})
}

func TestRoutersThatDoNotHelpAreAskedLessOften(t *testing.T) {
	m := &fakeMethod{name: "pcp", probes: []error{errSilent}}
	jobOf(t, []*fakeMethod{m}, func(j *job, _ *told) {
		start := time.Now()
		pass(20 * time.Minute)
		s := time.Second
		want := []time.Duration{0, 30 * s, 90 * s, 210 * s, 450 * s, 930 * s}
		if got := m.times("probe", start); !slices.Equal(got, want) {
			t.Errorf("asked at %v", got)
		}
		j.poked <- struct{}{} // another network: at once, and from the shortest pause on
		pass(31 * s)
		if got := m.times("probe", start); len(got) != len(want)+2 {
			t.Errorf("after a poke, asked at %v", got[len(want):])
		}
	})
	m = &fakeMethod{name: "pcp", opens: []error{errNot}}
	jobOf(t, []*fakeMethod{m}, func(*job, *told) {
		start := time.Now()
		pass(21 * time.Minute)
		if got := m.times("probe", start); !slices.Equal(got, []time.Duration{0, 10 * time.Minute, 20 * time.Minute}) {
			t.Errorf("who refused is asked at %v", got)
		}
	})
}

func TestAPokeAsksAtOnce(t *testing.T) {
	m := &fakeMethod{name: "pcp", lease: time.Hour}
	jobOf(t, []*fakeMethod{m}, func(j *job, results *told) {
		start := time.Now()
		pass(10 * time.Second)
		m.mu.Lock()
		m.external = "11.22.33.55:7144"
		m.mu.Unlock()
		j.poked <- struct{}{}
		pass(time.Second)
		r := results.last()
		if r.mapping.External != netip.MustParseAddrPort("11.22.33.55:7144") || r.mapping.Since.Sub(start) != 10*time.Second {
			t.Errorf("%+v", r.mapping)
		}
	})
}

func TestAnEndIsBounded(t *testing.T) {
	m := &fakeMethod{name: "pcp", lease: time.Hour}
	synctest.Test(t, func(t *testing.T) {
		j := &job{
			timing: usual, port: 7144, gateways: map[method]netip.Addr{}, poked: make(chan struct{}, 1),
			report: func(result) {}, log: zap.NewNop(),
		}
		j.add(PCP, client4, m)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, func() {
			m.mu.Lock()
			m.delay = time.Hour // the router is gone
			m.mu.Unlock()
			cancel()
		})
		start := time.Now()
		j.run(ctx)
		if took := time.Since(start); took != 10*time.Second+usual.goodbye {
			t.Errorf("it took %v", took)
		}
	})
}

// One protocol that the router no longer answers must not take the time in which the mapping that
// another has made is removed.
func TestTheMappingIsRemovedThoughAnotherProtocolHangs(t *testing.T) {
	hangs, maps := &fakeMethod{name: "pcp", probes: []error{errSilent}}, &fakeMethod{name: "upnp", lease: time.Hour}
	synctest.Test(t, func(t *testing.T) {
		j := &job{
			timing: usual, port: 7144, gateways: map[method]netip.Addr{}, poked: make(chan struct{}, 1),
			report: func(result) {}, log: zap.NewNop(),
		}
		j.add(PCP, client4, hangs)
		removed := &removal{fakeMethod: maps}
		j.add(UPnP, client4, removed)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, func() {
			hangs.mu.Lock()
			hangs.delay = time.Hour
			hangs.mu.Unlock()
			cancel()
		})
		j.run(ctx)
		if removed.err != nil || removed.times != 1 {
			t.Errorf("it is removed %d times: %v", removed.times, removed.err)
		}
	})
}

// removal notes what came of removing.
type removal struct {
	*fakeMethod
	times int
	err   error
}

func (r *removal) close(ctx context.Context) error {
	r.times++
	if r.err = r.fakeMethod.close(ctx); r.err == nil {
		r.err = ctx.Err()
	}
	return r.err
}

func TestErrorsKeepTheirReason(t *testing.T) {
	if reasonOf(errors.New("no route to host")) != NoAnswer || reasonOf(errSilent) != NoAnswer || reasonOf(errNot) != Refused {
		t.Error("a reason is lost")
	}
}
