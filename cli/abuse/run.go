package abuse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"relay/cli/abuse/hostile"
	"relay/cli/fault"
)

// Config says whom to attack, and what has to hold.
type Config struct {
	Target
	From netip.Prefix   // addresses of this machine to come from; not valid for what suits the target
	Only []hostile.Port // all that are open if empty
	For  time.Duration  // how long each siege lasts
	// Newcomer is how soon an honest newcomer has to play, and Memory how much more the node may
	// hold, in bytes.
	Newcomer time.Duration
	Memory   int
}

// Bars.
const (
	DefaultNewcomer = time.Second
	DefaultMemory   = 32 << 20
	DefaultFor      = 6 * time.Second
)

const (
	// weighing bounds how long a node may take to refuse what it has to find out about: it asks twice at
	// an address that it is told of, a second apart.
	weighing = 5 * time.Second
	// lookAgain is how often it is looked whether it has.
	lookAgain = 100 * time.Millisecond
	// settleMost bounds how long the node may take to give back what an attack took.
	settleMost = 90 * time.Second
	// slack is how many more goroutines and descriptors than before are no leak: a node that runs
	// opens and closes some of its own.
	slack = 8
)

// attack is one run.
type attack struct {
	Config
	target Target
	from   sources
	third  third // of this siege
}

// Run attacks a node, says what came of it, and fails if a bar was missed.
func Run(ctx context.Context, cfg Config, out io.Writer) error {
	if err := cfg.check(); err != nil {
		return err
	}
	if cfg.TagLog != "" {
		if _, err := os.Stat(cfg.TagLog); err != nil {
			return fault.Usage("start the source with --tag-log FILE, and give that file here", "--tag-log: %w", err)
		}
	}
	from, err := newSources(cfg.From, cfg.Links.Addr())
	if err != nil {
		return err
	}
	a := &attack{Config: cfg, target: cfg.Target, from: from}
	r := &report{out: out, bar: cfg}
	if err := a.run(ctx, r); err != nil {
		return err
	}
	return r.conclude()
}

func (a *attack) run(ctx context.Context, r *report) error {
	r.begin(a)
	a.closeShut(ctx, r)
	if !slices.ContainsFunc(hostile.Ports, a.chosen) {
		return &fault.Error{Err: errors.New("there is no port to attack"), Hint: "start the node first; --http, --rtmp, --admin and --discovery say where its ports are, and --only must name one of them", Code: fault.ExitNobody}
	}
	v, err := a.target.look(ctx)
	if err != nil {
		r.blind(err)
	}
	m := &monitor{target: a.target, before: v, last: v, peak: v.rss}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	if err == nil {
		wg.Go(func() { m.run(ctx) })
	}
	var beside *viewer
	if a.target.HTTP.IsValid() {
		if beside, err = a.target.watch(ctx); err != nil {
			return fault.Fail("start a stream first: the attack is to show that it goes on", "nothing plays beside the attack: %w", err)
		}
		defer beside.end()
	}
	for _, t := range hostile.Tables(a.target.Channel, a.target.Key) {
		if a.chosen(t.Port) && ctx.Err() == nil {
			a.table(ctx, t, m, r)
		}
	}
	for _, s := range a.sieges() {
		if a.chosen(s.port) && ctx.Err() == nil {
			a.besiege(ctx, s, r)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	a.settle(ctx, m)
	r.vitals(m)
	if beside != nil {
		r.beside(a, beside)
	}
	return nil
}

// closeShut leaves alone the TCP ports at which nobody listens.
func (a *attack) closeShut(ctx context.Context, r *report) {
	for p, at := range map[hostile.Port]*netip.AddrPort{hostile.RTMP: &a.target.RTMP, hostile.HTTP: &a.target.HTTP, hostile.Link: &a.target.Links, hostile.PeerCast: &a.target.PeerCast, hostile.RTSP: &a.target.RTSP, "metrics": &a.target.Admin, hostile.WHIP: &a.target.WHIP, hostile.TV: &a.target.TV} {
		if !at.IsValid() {
			continue
		}
		conn, err := (&net.Dialer{Timeout: lookMost}).DialContext(ctx, "tcp", at.String())
		if err != nil {
			r.say("%s: nobody listens at %s, so it is left alone.", p, at)
			*at = netip.AddrPort{}
			continue
		}
		conn.Close()
	}
}

func (a *attack) chosen(p hostile.Port) bool {
	return a.target.address(p).IsValid() && (len(a.Only) == 0 || slices.Contains(a.Only, p))
}

// table tries a table while newcomers come.
func (a *attack) table(ctx context.Context, t hostile.Table, m *monitor, r *report) {
	before := m.now(ctx).refused
	var all []outcome
	came := a.during(ctx, t.Port, func() { all = a.tryAll(ctx, t) })
	if ctx.Err() != nil {
		return
	}
	after := m.now(ctx)
	for until := time.Now().Add(weighing); after.refusalsAt(t.Port, before) < float64(refused(all)) && time.Now().Before(until) && ctx.Err() == nil; after = m.now(ctx) {
		time.Sleep(lookAgain)
	}
	r.table(t, all, came, after, before)
}

// refused is how many of the inputs a node has to refuse.
func refused(all []outcome) (n int) {
	for _, o := range all {
		if o.wrong() == "" && (o.input.Want == hostile.Refused || o.input.Want == hostile.Dropped) {
			n++
		}
	}
	return n
}

// besiege lays a siege while newcomers come. It goes on until the last of them is in, or has given up.
func (a *attack) besiege(ctx context.Context, s siege, r *report) {
	a.third = third{}
	began := time.Now()
	camp, raise := context.WithCancel(ctx)
	var conns, cut int
	ended := make(chan struct{})
	go func() { defer close(ended); conns, cut = a.lay(camp, s) }() // it ends with camp
	by := s.port
	if s.perAddress && !a.from.from.IsValid() {
		by = "" // nobody comes
	}
	came := a.during(ctx, by, func() {
		select {
		case <-time.After(a.For):
		case <-ctx.Done():
		}
	})
	took := time.Since(began)
	raise()
	<-ended
	if ctx.Err() == nil {
		r.siege(s, conns, cut, came, took, a.third)
	}
}

// now is the vitals of this moment, or the newest that there are.
func (m *monitor) now(ctx context.Context) vitals {
	v, err := m.target.look(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil && v.started == m.before.started {
		m.last = v
	}
	return m.last
}

// settle waits until the node has given back what the attack took, or time is up.
func (a *attack) settle(ctx context.Context, m *monitor) {
	until := time.Now().Add(settleMost)
	for time.Now().Before(until) && ctx.Err() == nil {
		if v := m.now(ctx); v.goroutines <= m.before.goroutines+slack && v.fds <= m.before.fds+slack {
			return
		}
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
		}
	}
}

// ParsePort reads the name of a port, in any case.
func ParsePort(s string) (hostile.Port, error) {
	for _, p := range hostile.Ports {
		if strings.EqualFold(string(p), s) {
			return p, nil
		}
	}
	return "", fmt.Errorf("there is no port %q to attack", s)
}
