package reach

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"relay/cli/fault"
	"relay/relay"
)

const (
	// namesEvery is how often names are looked up: a home's address changes once a day,
	// and services for that let go of the old one within a minute or two.
	namesEvery = time.Minute
	// namesLeast is the least time between two looks, as when the network changes often.
	namesLeast = 2 * time.Second
	// lookupTime bounds one look at one name.
	lookupTime = 10 * time.Second
)

// names are those under which the user says that others reach the node, and the addresses
// that they stand for now.
type names struct {
	all    []string
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
	say    func(format string, args ...any)
	wake   chan struct{} // holds one value if they are to be looked up at once

	mu     sync.Mutex
	of     map[string][]netip.Addr // a literal address stands for itself
	silent map[string]bool         // nobody knows these now, and the user has been told
}

func newNames(given []relay.HostPort, say func(format string, args ...any)) *names {
	n := &names{
		lookup: net.DefaultResolver.LookupNetIP, say: say, wake: make(chan struct{}, 1),
		of: make(map[string][]netip.Addr), silent: make(map[string]bool),
	}
	for _, h := range given {
		if a, err := netip.ParseAddr(h.Host); err == nil {
			n.of[h.Host] = []netip.Addr{a.Unmap()}
		} else if !slices.Contains(n.all, h.Host) {
			n.all = append(n.all, h.Host)
		}
	}
	return n
}

// resolved is the addresses that a host stands for, as far as that is known.
func (n *names) resolved(h relay.HostPort) []netip.AddrPort {
	n.mu.Lock()
	defer n.mu.Unlock()
	var addrs []netip.AddrPort
	for _, a := range n.of[h.Host] {
		addrs = append(addrs, netip.AddrPortFrom(a, h.Port))
	}
	return addrs
}

// again has the names looked up soon.
func (n *names) again() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// follow looks the names up at once and every minute until ctx ends, and calls changed when
// one stands for another address. If a name is not known any more its last address is kept.
func (n *names) follow(ctx context.Context, changed func()) {
	if len(n.all) == 0 {
		return
	}
	tick := time.NewTicker(namesEvery)
	defer tick.Stop()
	for {
		if n.look(ctx) {
			changed()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(namesLeast):
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-n.wake:
		}
	}
}

// look asks for all names and reports whether there is something new.
func (n *names) look(ctx context.Context) (changed bool) {
	for _, name := range n.all {
		one, cancel := context.WithTimeout(ctx, lookupTime)
		addrs, err := n.lookup(one, "ip", name)
		cancel()
		if ctx.Err() != nil {
			return changed
		}
		addrs = oneOfEach(addrs)
		if err == nil && len(addrs) == 0 {
			err = errors.New("it stands for no address that others can reach")
		}
		changed = n.take(name, addrs, err) || changed
	}
	return changed
}

// take takes over what became of one look.
func (n *names) take(name string, addrs []netip.Addr, err error) (changed bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil {
		if !n.silent[name] {
			n.silent[name] = true
			n.say("The name %s of --advertise leads nowhere now: %s. It is looked up again every minute; until then others use the other addresses.", name, fault.Plain(err))
		}
		return false
	}
	n.silent[name] = false
	if slices.Equal(n.of[name], addrs) {
		return false
	}
	n.of[name] = addrs
	return true
}

// oneOfEach is the first address of each family that others can reach: names of servers have
// many.
func oneOfEach(all []netip.Addr) []netip.Addr {
	var addrs []netip.Addr
	for _, a := range all {
		a = a.Unmap().WithZone("")
		sameFamily := func(b netip.Addr) bool { return a.Is4() == b.Is4() }
		if (a.IsGlobalUnicast() || a.IsLoopback()) && !slices.ContainsFunc(addrs, sameFamily) {
			addrs = append(addrs, a)
		}
	}
	slices.SortFunc(addrs, func(a, b netip.Addr) int { return b.BitLen() - a.BitLen() })
	return addrs
}
