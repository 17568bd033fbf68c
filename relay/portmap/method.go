package portmap

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"
)

// method is one router asked in one way. Its calls never overlap. Each call is bounded in
// time by itself.
type method interface {
	// probe finds out whether the router speaks the protocol. It changes nothing there.
	probe(ctx context.Context) error
	// open asks for the mapping, or renews it.
	open(ctx context.Context) (grant, error)
	// check asks whether the router still has the mapping: errForgotten if it has not.
	// Any other error says nothing.
	check(ctx context.Context) error
	// close removes the mapping.
	close(ctx context.Context) error
}

// grant is what a router gave.
type grant struct {
	external netip.AddrPort // for TCP
	udp      uint16         // external port for UDP; 0 if there is none
	lease    time.Duration  // 0 if it stays until it is removed
}

// request is what is wanted of it: the same for every method.
type request struct {
	local netip.Addr // this machine's address towards the router
	port  uint16     // of this machine, for TCP and UDP
}

// lease bounds.
const (
	// leaseAsked is what PCP and NAT-PMP are asked for (RFC 6886 §3.3 recommends it), and
	// leaseUPnP what UPnP is: it is not renewed by a router that forgets it is.
	leaseAsked = 2 * time.Hour
	leaseUPnP  = time.Hour
	// leaseMost is the longest that is believed (RFC 6887 §15): a day.
	leaseMost = 24 * time.Hour
)

// leaseOf is a lifetime in seconds as a router tells it, within what is believed.
func leaseOf(seconds uint32) time.Duration {
	return min(time.Duration(seconds)*time.Second, leaseMost)
}

// both removes two mappings at once: time is short in the end, and a router that is slow to
// answer for the first has the question for the second by then.
func both(tcp, udp func() error) error {
	var all sync.WaitGroup
	var errs [2]error
	all.Go(func() { errs[0] = tcp() })
	all.Go(func() { errs[1] = udp() })
	all.Wait()
	return errors.Join(errs[:]...)
}
