package station

import (
	"context"
	"net/netip"
	"slices"
	"sync"

	"relay/relay"
	"relay/relay/hostnet"
	"relay/tree"
)

// reach keeps where others reach the node, while the machine's network and the names that
// the user has given change.
type reach struct {
	at       netip.AddrPort // of the listener; not valid if there is none
	given    []relay.HostPort
	names    *names
	presence hostnet.Presence // used by follow's goroutine
	own      func(netip.AddrPort) []netip.AddrPort
	mapped   func() []netip.AddrPort // where routers let others in
	moved    func()                  // is called when the machine's addresses are others
	woken    chan struct{}           // holds one

	mu sync.Mutex // held while the node is told, so that it hears of the newest last
}

// relocatable is the node that is told: a [relay.Node].
type relocatable interface {
	Addrs() []netip.AddrPort
	Relocate(addrs []netip.AddrPort, gone []netip.Addr)
	Readdress(addrs []netip.AddrPort)
}

func newReach(given []relay.HostPort, say func(format string, args ...any)) *reach {
	return &reach{
		given: given, names: newNames(given, say), own: hostnet.Reachable,
		mapped: func() []netip.AddrPort { return nil }, moved: func() {}, woken: make(chan struct{}, 1),
	}
}

// wake has follow look at the addresses again. It does not block.
func (r *reach) wake() {
	select {
	case r.woken <- struct{}{}:
	default: // it has not looked yet
	}
}

// addrs is where others reach the node now, the most useful first: what the user has given,
// then the machine's own with those of its routers. There is none without a listener.
func (r *reach) addrs() []netip.AddrPort {
	if !r.at.IsValid() {
		return nil
	}
	var all []netip.AddrPort
	for _, h := range r.given {
		all = append(all, r.names.resolved(h)...)
	}
	var addrs []netip.AddrPort
	for _, a := range append(all, withMapped(r.own(r.at), r.mapped())...) {
		if !slices.Contains(addrs, a) && len(addrs) < tree.MaxAddrs {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// mostMapped is how many addresses of routers others are told: a home has two lines at most.
const mostMapped = 2

// withMapped puts the addresses of routers behind the machine's own that are public, and before
// those of its networks, for one of which there is room.
func withMapped(own, mapped []netip.AddrPort) []netip.AddrPort {
	at := slices.IndexFunc(own, func(a netip.AddrPort) bool { return !hostnet.Public(a.Addr()) })
	if at < 0 {
		at = len(own)
	}
	room := max(0, min(len(mapped), mostMapped, tree.MaxAddrs-1-at))
	return slices.Insert(slices.Clone(own), at, mapped[:room]...)
}

// hosts is addrs as an invite has them: a name that the user has given stands for itself,
// since it will lead here when the address is another.
func (r *reach) hosts(addrs []netip.AddrPort) []relay.HostPort {
	if !r.at.IsValid() {
		return nil
	}
	var hosts []relay.HostPort
	add := func(h relay.HostPort) {
		if !slices.Contains(hosts, h) && len(hosts) < tree.MaxAddrs {
			hosts = append(hosts, h)
		}
	}
	var named []netip.AddrPort
	for _, h := range r.given {
		add(h)
		named = append(named, r.names.resolved(h)...)
	}
	for _, a := range addrs {
		if !slices.Contains(named, a) {
			add(relay.HostPort{Host: a.Addr().String(), Port: a.Port()})
		}
	}
	return hosts
}

// follow tells the node when the machine's addresses, or those of the names or of the routers,
// have become others, until ctx ends.
func (r *reach) follow(ctx context.Context, n relocatable) {
	var all sync.WaitGroup
	defer all.Wait()
	r.presence.Look()
	all.Go(func() { r.names.follow(ctx, func() { r.retell(n) }) })
	all.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-r.woken:
				r.retell(n)
			}
		}
	})
	hostnet.Watch(ctx, func() {
		lost, fresh := r.presence.Look()
		if fresh {
			r.names.again() // there may have been nobody to ask
		}
		if fresh || len(lost) > 0 {
			r.moved()
		}
		r.tell(n, lost, fresh)
	})
}

// tell tells the node if there is something that it does not know.
func (r *reach) tell(n relocatable, lost []netip.Addr, fresh bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if addrs := r.addrs(); fresh || len(lost) > 0 || !slices.Equal(addrs, n.Addrs()) {
		n.Relocate(addrs, lost)
	}
}

// retell is tell in the same network: a router lets others in or does so no longer, or a name stands for
// another address. It may do so because the line has another one; but the router that this machine
// is behind is the same, and if it is not, the machine's own addresses tell.
func (r *reach) retell(n relocatable) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if addrs := r.addrs(); !slices.Equal(addrs, n.Addrs()) {
		n.Readdress(addrs)
	}
}
