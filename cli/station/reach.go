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

	mu sync.Mutex // held while the node is told, so that it hears of the newest last
}

func newReach(given []relay.HostPort, say func(format string, args ...any)) *reach {
	return &reach{given: given, names: newNames(given, say), own: hostnet.Reachable}
}

// addrs is where others reach the node now, the most useful first: what the user has given,
// then the machine's own. There is none without a listener.
func (r *reach) addrs() []netip.AddrPort {
	if !r.at.IsValid() {
		return nil
	}
	var all []netip.AddrPort
	for _, h := range r.given {
		all = append(all, r.names.resolved(h)...)
	}
	var addrs []netip.AddrPort
	for _, a := range append(all, r.own(r.at)...) {
		if !slices.Contains(addrs, a) && len(addrs) < tree.MaxAddrs {
			addrs = append(addrs, a)
		}
	}
	return addrs
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

// follow tells the node when the machine's addresses, or those of the names, have become
// others, until ctx ends.
func (r *reach) follow(ctx context.Context, n *relay.Node) {
	var both sync.WaitGroup
	defer both.Wait()
	r.presence.Look()
	both.Go(func() { r.names.follow(ctx, func() { r.tell(n, nil, false) }) })
	hostnet.Watch(ctx, func() {
		lost, fresh := r.presence.Look()
		if fresh {
			r.names.again() // there may have been nobody to ask
		}
		r.tell(n, lost, fresh)
	})
}

// tell tells the node if there is something that it does not know.
func (r *reach) tell(n *relay.Node, lost []netip.Addr, fresh bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if addrs := r.addrs(); fresh || len(lost) > 0 || !slices.Equal(addrs, n.Addrs()) {
		n.Relocate(addrs, lost)
	}
}
