package portmap

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// gatewaysMost and globalsMost bound whom the port is opened at.
	gatewaysMost = 4
	globalsMost  = 2
	// lookEvery is how often the gateways are listed, where nobody tells of changes.
	lookEvery = 30 * time.Second
	// pokeLeast is how close two pokes are heeded: a cable that wavers makes many.
	pokeLeast = time.Second
)

// Ports that routers listen on.
const (
	portPCP  = 5351 // PCP and NAT-PMP
	portSSDP = 1900 // UPnP
)

// Mapper keeps one port of this machine open in its routers, for TCP and UDP.
type Mapper struct {
	// Port is this machine's port; required. Routers are asked for the same one outside.
	Port uint16
	// Gateways lists the routers that this machine's default routes lead to, IPv4 and
	// IPv6, the likeliest first; required. Link-local ones have a zone. Four of each
	// family are asked at most.
	Gateways func() []netip.Addr
	// Globals lists this machine's global IPv6 addresses that others are to dial: stable
	// ones, not those of RFC 8981 that change by the day. Two are used at most. Nil for
	// none.
	Globals func() []netip.Addr
	// Changed is told each new state, in order. It must not block. Nil for nobody.
	Changed func(State)
	Log     *zap.Logger // nil for none

	pcpPort, ssdpPort uint16  // those of the routers; 0 for the usual ones
	timing            *timing // nil for the usual one

	once      sync.Once
	poked     chan struct{} // holds one
	strangers strangers

	telling sync.Mutex // held while Changed is called, so that it is called in order
	told    *State     // the last one; nil before
	mu      sync.Mutex
	order   []key
	results map[key]*result // nil until there is one
}

// key says which job is meant: a gateway and our own address, which is a global one with
// IPv6. A job ends when its own address is gone.
type key struct{ gateway, local netip.Addr }

func (m *Mapper) init() {
	m.once.Do(func() {
		m.poked = make(chan struct{}, 1)
		if m.Log == nil {
			m.Log = zap.NewNop()
		}
		if m.pcpPort == 0 {
			m.pcpPort = portPCP
		}
		if m.ssdpPort == 0 {
			m.ssdpPort = portSSDP
		}
		if m.timing == nil {
			m.timing = &usual
		}
	})
}

// Poke has the mapper look at the network again and ask all routers at once, as when an
// address came, went or changed. It does not wait.
func (m *Mapper) Poke() {
	m.init()
	select {
	case m.poked <- struct{}{}:
	default:
	}
}

// State is what there is now.
func (m *Mapper) State() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	var s State
	for _, k := range m.order {
		switch r := m.results[k]; {
		case r == nil && k.local.Is4():
			s.Searching = true
		case r == nil:
			s.Searching6 = true
		case r.mapping.External.IsValid():
			s.Mappings = append(s.Mappings, r.mapping)
		default:
			s.Failures = append(s.Failures, r.failures...)
		}
	}
	return s
}

// Run keeps the port open until ctx ends. Then it removes the mappings, for a second at
// most, and logs how much came from routers, or from strangers in their place, that was not
// believed. It fails at once if a required field is missing; no router and no answer are no
// errors. It must not be called twice.
func (m *Mapper) Run(ctx context.Context) error {
	if m.Port == 0 || m.Gateways == nil {
		return errors.New("portmap: Port and Gateways are required")
	}
	m.init()
	running := make(map[key]*running)
	leaving := make(map[key]chan struct{}) // of jobs that may still be removing what they mapped
	var all sync.WaitGroup
	defer func() {
		for _, r := range running {
			r.cancel()
		}
		all.Wait()
		if s := m.strangers.counts(); s != (strange{}) {
			m.Log.Info("answers in the routers' name that were not believed", zap.Any("counts", s))
		}
	}()
	var last time.Time // when a poke was heeded
	for {
		jobs := m.wanted()
		m.publish()
		for k, done := range leaving { // those that are over need not be kept: addresses may change for ever
			select {
			case <-done:
				delete(leaving, k)
			default:
			}
		}
		for k, r := range running {
			if _, ok := jobs[k]; !ok {
				r.cancel()
				delete(running, k)
				leaving[k] = r.done
			}
		}
		for k, j := range jobs {
			if running[k] != nil {
				continue
			}
			r, before := newRunning(ctx, j), leaving[k]
			delete(leaving, k)
			running[k] = r
			all.Go(func() { // ends when it is cancelled
				defer close(r.done)
				if before != nil {
					<-before // else it would remove what this one maps
				}
				r.job.run(r.ctx)
			})
		}
		poked := m.wait(ctx, last.Add(pokeLeast))
		if ctx.Err() != nil {
			return nil
		}
		if poked {
			last = time.Now()
			for _, r := range running {
				r.poke()
			}
		}
	}
}

// wait is for a poke, which it tells not before least, or for the time to look again.
func (m *Mapper) wait(ctx context.Context, least time.Time) (poked bool) {
	t := time.NewTimer(lookEvery)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return false
	case <-m.poked:
	}
	t.Reset(time.Until(least))
	select {
	case <-ctx.Done():
	case <-t.C:
	}
	return true
}

// running is a job with its goroutine.
type running struct {
	*job
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
}

func newRunning(ctx context.Context, j *job) *running {
	r := &running{job: j, done: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(ctx)
	return r
}

func (r *running) poke() {
	select {
	case r.poked <- struct{}{}:
	default:
	}
}

// wanted lists the jobs that the network of this moment asks for, and makes their keys the
// order of the state. The results of others are forgotten.
func (m *Mapper) wanted() map[key]*job {
	var four, six []netip.Addr
	for _, g := range m.Gateways() {
		g = g.Unmap()
		switch {
		case g.Is4() && len(four) < gatewaysMost && !slices.Contains(four, g):
			four = append(four, g)
		case g.Is6() && len(six) < gatewaysMost && !slices.Contains(six, g):
			six = append(six, g)
		}
	}
	jobs := make(map[key]*job)
	var order []key
	add := func(k key, j *job) {
		if _, ok := jobs[k]; !ok {
			jobs[k] = j
			order = append(order, k)
		}
	}
	for _, g := range four {
		if local := towards(g); local.IsValid() {
			k := key{g, local}
			add(k, m.job4(k))
		}
	}
	for _, a := range m.globals() {
		if len(four)+len(six) > 0 {
			k := key{local: a}
			add(k, m.job6(k, six, four))
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	results := make(map[key]*result)
	for _, k := range order {
		results[k] = m.results[k]
	}
	m.order, m.results = order, results
	return jobs
}

func (m *Mapper) globals() []netip.Addr {
	if m.Globals == nil {
		return nil
	}
	var all []netip.Addr
	for _, a := range m.Globals() {
		if a.Is6() && !a.Is4In6() && judge(a) == None && len(all) < globalsMost && !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}

// towards is this machine's address from which packets to a router leave; not valid
// without a way. Connecting UDP sends none.
func towards(gateway netip.Addr) netip.Addr {
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(gateway, portPCP)))
	if err != nil {
		return netip.Addr{}
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

func (m *Mapper) newJob(k key) *job {
	return &job{
		timing: *m.timing, local: k.local, port: m.Port, poked: make(chan struct{}, 1),
		gateways: make(map[method]netip.Addr),
		report:   func(r result) { m.take(k, r) }, log: m.Log,
	}
}

func (j *job) add(p Protocol, gateway netip.Addr, c method) {
	j.candidates = append(j.candidates, candidate{p, c})
	j.gateways[c] = gateway
}

// job4 maps the port in an IPv4 router.
func (m *Mapper) job4(k key) *job {
	j := m.newJob(k)
	want := request{k.local, m.Port}
	at := m.asker(k.gateway, k.local, m.pcpPort)
	j.add(PCP, k.gateway, newPCP(at, want))
	j.add(NATPMP, k.gateway, newNATPMP(at, want))
	j.add(UPnP, k.gateway, newUPnP(m.asker(k.gateway, k.local, m.ssdpPort), want))
	return j
}

// job6 opens the port in the IPv6 firewalls. UPnP is asked over IPv6 first: routers check
// that a pinhole is for who asks. Those that do not may speak it over IPv4 alone.
func (m *Mapper) job6(k key, six, four []netip.Addr) *job {
	j := m.newJob(k)
	want := request{k.local, m.Port}
	for _, g := range six {
		j.add(PCP, g, newPCP(m.asker(g, k.local, m.pcpPort), want))
	}
	for _, g := range six {
		j.add(UPnP, g, newPinhole(m.asker(g, k.local, m.ssdpPort), want))
	}
	for _, g := range four {
		if local := towards(g); local.IsValid() {
			j.add(UPnP, g, newPinhole(m.asker(g, local, m.ssdpPort), want))
		}
	}
	return j
}

func (m *Mapper) asker(gateway, source netip.Addr, port uint16) asker {
	return asker{router: netip.AddrPortFrom(gateway, port), source: source, strange: &m.strangers}
}

// take is a job's report. One of a job that is no longer wanted is dropped.
func (m *Mapper) take(k key, r result) {
	m.mu.Lock()
	_, wanted := m.results[k]
	if wanted {
		m.results[k] = &r
	}
	m.mu.Unlock()
	if wanted {
		m.publish()
	}
}

// publish tells the state if it is another one.
func (m *Mapper) publish() {
	if m.Changed == nil {
		return
	}
	m.telling.Lock()
	defer m.telling.Unlock()
	s := m.State()
	if m.told == nil || !s.equal(*m.told) {
		m.told = &s
		m.Changed(s)
	}
}
