package domain

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"relay/relay/hostnet"
	"relay/relay/stream"
)

const (
	// askFor bounds each of the two questions: the one to DNS, and the one for the file.
	askFor = 5 * time.Second
	// fresh is how long an answer is not asked for again, and failedFresh how long none is: a node without a
	// parent asks each 15 s.
	fresh       = 10 * time.Minute
	failedFresh = time.Minute
	// maxCached bounds the domains that are kept. A node needs one for each of its channels.
	maxCached = 256
	// maxRecords bounds the channels of one domain.
	maxRecords = 32
	// recordLabel stands before the domain that is asked for TXT records.
	recordLabel = "_relay."
	// maxAddrs bounds the addresses that one name in a record stands for.
	maxAddrs = 4
)

// Kind says why a domain names no channel.
type Kind int

// Kinds of an [Error].
const (
	NoRecord Kind = iota // it says nothing of relay
	Unknown              // nobody knows a domain of that name
	Silent               // the name servers do not answer now
	Blocked              // they say what those say that block a name
	Broken               // what it says of relay cannot be read
	Gone                 // it does not name the channel that was asked for any more
)

// Error says why a domain names no channel.
type Error struct {
	Kind Kind
	Name Name
	Why  error // what is wrong; nil if Kind says all
}

func (e *Error) Error() string {
	n := e.Name.Shown()
	switch e.Kind {
	case Unknown:
		return "nobody knows the domain " + n
	case Silent:
		return fmt.Sprintf("%s cannot be looked up now: %v", n, e.Why)
	case Blocked:
		return "this network's name server gives a dead address for " + n + ", as those do that block a name"
	case Broken:
		return fmt.Sprintf("what %s says of relay cannot be read: %v", n, e.Why)
	case Gone:
		return fmt.Sprintf("%s does not name channel %v any more", n, e.Why)
	}
	if e.Why != nil {
		return fmt.Sprintf("%s names no channel: there is no TXT record at %s%s, and %v", n, recordLabel, e.Name, e.Why)
	}
	return fmt.Sprintf("%s names no channel", n)
}

func (e *Error) Unwrap() error { return e.Why }

// Answer is what a domain says.
type Answer struct {
	Records  []Record // at least one, each channel once, in the order of titles and IDs
	Problems []error  // what else it says and cannot be read, one of each kind
	Where    string   // the name that was asked for TXT records, or the address of the file
}

// Resolver asks domains, and keeps what they say for ten minutes. Its zero value asks the system's name servers. It
// is safe for concurrent use.
type Resolver struct {
	DNS *net.Resolver // nil for the system's

	// For tests: where to connect to for the file, and whom to trust there.
	dial  func(ctx context.Context, network, addr string) (net.Conn, error)
	roots *x509.CertPool
	wait  time.Duration // in the place of askFor

	mu    sync.Mutex
	known map[Name]*entry
}

// entry is what one domain has said.
type entry struct {
	turn  chan struct{} // holds one while somebody asks; the others wait for what comes
	until time.Time
	last  Answer // kept while a later question fails, for the addresses
	err   error
}

// New returns a Resolver that asks the name server at an address, HOST:PORT; the system's if it is empty.
func New(server string) *Resolver {
	if server == "" {
		return &Resolver{}
	}
	return &Resolver{DNS: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server)
	}}}
}

func (r *Resolver) dns() *net.Resolver { return cmp.Or(r.DNS, net.DefaultResolver) }

// Look asks what a domain says of channels. Its error is an [*Error], but for that of ctx.
func (r *Resolver) Look(ctx context.Context, n Name) (Answer, error) {
	e, done, err := r.enter(ctx, n)
	if err != nil {
		return Answer{}, err
	}
	defer done()
	if now := time.Now(); now.Before(e.until) {
		return e.last, e.err
	}
	a, err := r.ask(ctx, n)
	if ctx.Err() != nil {
		return Answer{}, context.Cause(ctx)
	}
	e.err, e.until = err, time.Now().Add(failedFresh)
	if err == nil {
		e.last, e.until = a, time.Now().Add(fresh)
	}
	return a, err
}

// enter returns what is kept of a domain, for this goroutine alone until done is called.
func (r *Resolver) enter(ctx context.Context, n Name) (e *entry, done func(), err error) {
	r.mu.Lock()
	if e = r.known[n]; e == nil {
		e = &entry{turn: make(chan struct{}, 1)}
		if r.known == nil || len(r.known) >= maxCached {
			r.known = make(map[Name]*entry)
		}
		r.known[n] = e
	}
	r.mu.Unlock()
	select {
	case e.turn <- struct{}{}:
		return e, func() { <-e.turn }, nil
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
}

// Addrs returns the addresses at which a domain says that a channel is, IPv6 first, as [relay.Config] wants
// them. If it cannot be asked now, what it said last counts.
func (r *Resolver) Addrs(ctx context.Context, domain string, id stream.ChannelID) ([]netip.AddrPort, error) {
	n, err := Parse(domain)
	if err != nil {
		return nil, fmt.Errorf("@%s: %w", domain, err)
	}
	a, err := r.Look(ctx, n)
	if err != nil {
		if e, done, wait := r.enter(ctx, n); wait == nil {
			a = e.last
			done()
		}
	}
	i := slices.IndexFunc(a.Records, func(c Record) bool { return c.Channel == id })
	switch {
	case i < 0 && err != nil:
		return nil, err
	case i < 0:
		return nil, &Error{Gone, n, errors.New(id.Short())}
	}
	return r.addrsOf(ctx, n, a.Records[i])
}

// addrsOf looks up the names among the addresses of a record. It fails if nothing comes of any.
func (r *Resolver) addrsOf(ctx context.Context, n Name, c Record) (all []netip.AddrPort, err error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.wait, askFor))
	defer cancel()
	for _, h := range c.At {
		ips := []netip.Addr{}
		if ip, bad := netip.ParseAddr(h.Host); bad == nil {
			ips = append(ips, ip)
		} else if ips, bad = r.dns().LookupNetIP(ctx, "ip", h.Host); bad != nil {
			err = fmt.Errorf("%s names %s: %w", n.Shown(), h.Host, bad)
			continue
		}
		for _, ip := range ips[:min(len(ips), maxAddrs)] {
			if at := netip.AddrPortFrom(ip.Unmap(), h.Port); !slices.Contains(all, at) {
				all = append(all, at)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b netip.AddrPort) int { return b.Addr().BitLen() - a.Addr().BitLen() })
	if len(all) > 0 {
		return all, nil
	}
	return nil, err
}

// ask asks now: DNS, and if there is no record the file.
func (r *Resolver) ask(ctx context.Context, n Name) (Answer, error) {
	lines, err := r.texts(ctx, n)
	var dns *net.DNSError
	switch {
	case ctx.Err() != nil:
		return Answer{}, context.Cause(ctx)
	case err == nil:
		if a, any := gather(lines, parseRecord); any {
			a.Where = recordLabel + string(n)
			return a.orBroken(n)
		}
	case !errors.As(err, &dns) || dns.IsTimeout:
		return Answer{}, &Error{Silent, n, err}
	}
	unheard := err // by a name server that cannot tell, as of some that know no names with a _ in front
	if err == nil || dns.IsNotFound {
		unheard = nil
	}
	lines, where, err := r.file(ctx, n)
	switch {
	case ctx.Err() != nil:
		return Answer{}, context.Cause(ctx)
	case err == nil:
		if a, any := gather(lines, parseLine); any {
			a.Where = where
			return a.orBroken(n)
		}
		return Answer{}, &Error{NoRecord, n, fmt.Errorf("%s is empty", where)}
	case unheard != nil:
		return Answer{}, &Error{Silent, n, unheard}
	case errors.As(err, &dns) && dns.IsNotFound:
		return Answer{}, &Error{Unknown, n, nil}
	case errors.As(err, &dns):
		return Answer{}, &Error{Silent, n, dns}
	case errors.Is(err, errDead):
		return Answer{}, &Error{Blocked, n, nil}
	case errors.Is(err, errTooLong):
		return Answer{}, &Error{Broken, n, fmt.Errorf("%s: %w", where, err)}
	}
	return Answer{}, &Error{NoRecord, n, fmt.Errorf("%s: %w", where, err)}
}

// texts asks for the TXT records. The dot at the end keeps the system from trying the name within domains of its own.
func (r *Resolver) texts(ctx context.Context, n Name) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.wait, askFor))
	defer cancel()
	return r.dns().LookupTXT(ctx, recordLabel+string(n)+".")
}

// gather reads lines. It reports whether there is any of ours, if only a broken one.
func gather(lines []string, parse func(string) (Record, bool, error)) (a Answer, any bool) {
	for _, l := range lines {
		c, ours, err := parse(l)
		any = any || ours
		switch {
		case err != nil:
			if !slices.ContainsFunc(a.Problems, func(p error) bool { return p.Error() == err.Error() }) && len(a.Problems) < maxRecords {
				a.Problems = append(a.Problems, err)
			}
		case ours && !slices.ContainsFunc(a.Records, func(o Record) bool { return o.Channel == c.Channel }):
			a.Records = append(a.Records, c)
		}
	}
	// Name servers tell them in any order.
	slices.SortStableFunc(a.Records, func(x, y Record) int {
		return cmp.Or(cmp.Compare(x.Title, y.Title), slices.Compare(x.Channel[:], y.Channel[:]))
	})
	if more := len(a.Records) - maxRecords; more > 0 {
		a.Records = a.Records[:maxRecords]
		a.Problems = append(a.Problems, fmt.Errorf("there are %d channels, the most is %d", maxRecords+more, maxRecords))
	}
	return a, any
}

// orBroken returns the answer, or an error if none of it can be read.
func (a Answer) orBroken(n Name) (Answer, error) {
	if len(a.Records) == 0 {
		return Answer{}, &Error{Broken, n, fmt.Errorf("%s: %w", a.Where, a.Problems[0])}
	}
	return a, nil
}

// dead reports whether a name server that says so of a public name keeps people from it.
func dead(ip netip.Addr) bool { return ip.IsLoopback() || ip.IsUnspecified() || hostnet.Nowhere(ip) }
