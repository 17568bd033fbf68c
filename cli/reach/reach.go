// Package reach knows where others reach a node: at the addresses and names that its user gives, at those of the
// machine, and at those of its routers, while all of these change. Each change is told to the node once.
package reach

import (
	"context"
	"net/netip"
	"slices"
	"sync"

	"relay/relay"
	"relay/relay/hostnet"
	"relay/tree"
)

// Reach keeps where others reach the node, while the machine's network and the names that
// the user has given change. Its exported fields are set before it is used.
type Reach struct {
	At     netip.AddrPort          // of the listener; not valid if there is none
	Mapped func() []netip.AddrPort // where routers let others in
	Moved  func()                  // is called when the machine's addresses are others

	given    []relay.HostPort
	names    *names
	presence hostnet.Presence // used by Follow's goroutine
	own      func(netip.AddrPort) []netip.AddrPort
	woken    chan struct{} // holds one

	mu sync.Mutex // held while the node is told, so that it hears of the newest last
}

// Node is told where others reach it: a [relay.Node].
type Node interface {
	Addrs() []netip.AddrPort
	Relocate(addrs []netip.AddrPort, gone []netip.Addr)
	Readdress(addrs []netip.AddrPort)
}

// New keeps the addresses and names that the user has given, of which say tells the user if one of them leads nowhere.
func New(given []relay.HostPort, say func(format string, args ...any)) *Reach {
	return &Reach{
		Mapped: func() []netip.AddrPort { return nil }, Moved: func() {},
		given: given, names: newNames(given, say), own: hostnet.Reachable, woken: make(chan struct{}, 1),
	}
}

// Wake has Follow look at the addresses again. It does not block.
func (r *Reach) Wake() {
	select {
	case r.woken <- struct{}{}:
	default: // it has not looked yet
	}
}

// Addrs is where others reach the node now, the most useful first: what the user has given,
// then the machine's own with those of its routers. There is none without a listener.
func (r *Reach) Addrs() []netip.AddrPort {
	if !r.At.IsValid() {
		return nil
	}
	var all []netip.AddrPort
	for _, h := range r.given {
		all = append(all, r.names.resolved(h)...)
	}
	var addrs []netip.AddrPort
	for _, a := range append(all, withMapped(r.own(r.At), r.Mapped())...) {
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

// Hosts is addrs as an invite has them: a name that the user has given stands for itself,
// since it will lead here when the address is another.
func (r *Reach) Hosts(addrs []netip.AddrPort) []relay.HostPort {
	if !r.At.IsValid() {
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

// Follow tells the node when the machine's addresses, or those of the names or of the routers,
// have become others, until ctx ends.
func (r *Reach) Follow(ctx context.Context, n Node) {
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
			r.Moved()
		}
		r.tell(n, lost, fresh)
	})
}

// tell tells the node if there is something that it does not know.
func (r *Reach) tell(n Node, lost []netip.Addr, fresh bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if addrs := r.Addrs(); fresh || len(lost) > 0 || !slices.Equal(addrs, n.Addrs()) {
		n.Relocate(addrs, lost)
	}
}

// retell is tell in the same network: a router lets others in or does so no longer, or a name stands for
// another address. It may do so because the line has another one; but the router that this machine
// is behind is the same, and if it is not, the machine's own addresses tell.
func (r *Reach) retell(n Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if addrs := r.Addrs(); !slices.Equal(addrs, n.Addrs()) {
		n.Readdress(addrs)
	}
}
