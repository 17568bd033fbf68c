//go:build !lean

package whip

import (
	"net"
	"net/netip"
	"slices"
	"sync"
)

// callersMost bounds the addresses from which packets are taken: a browser has some for each of its networks.
const callersMost = 64

// callers knows for which calls checks may come, and from which addresses some have: nothing else reaches the library. It is
// safe for concurrent use.
type callers struct {
	stranger func() // is told of what belongs to no call

	mu    sync.Mutex
	calls map[string]bool           // by the name in their checks
	from  map[netip.AddrPort]string // whose checks came from there
}

func newCallers(stranger func()) *callers {
	return &callers{stranger: stranger, calls: make(map[string]bool), from: make(map[netip.AddrPort]string)}
}

// begin has checks for a call come in, until end.
func (c *callers) begin(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[call] = true
}

func (c *callers) end(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, call)
	for a, of := range c.from {
		if of == call {
			delete(c.from, a)
		}
	}
}

// checked reports whether b is a check for a call.
func (c *callers) checked(b []byte) bool {
	call, ok := callee(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	return ok && c.calls[call]
}

// may reports whether a packet belongs to a call: it is a check for one, or comes from where such came from.
func (c *callers) may(b []byte, from netip.AddrPort) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.from[from]; known {
		return true
	}
	call, ok := callee(b)
	if !ok || !c.calls[call] || len(c.from) >= callersMost {
		return false
	}
	c.from[from] = call
	return true
}

// packets are those of a socket that belong to calls.
type packets struct {
	*net.UDPConn
	callers *callers
	own     []netip.Addr // of this machine, if nobody else may send; nil for all
}

// ReadFromAddrPort reads the next one.
func (p *packets) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		n, from, err := p.ReadFromUDPAddrPort(b)
		if err != nil || (p.own == nil || mine(from.Addr(), p.own)) && p.callers.may(b[:n], from) {
			return n, from, err
		}
		p.callers.stranger()
	}
}

// WriteToAddrPort writes one.
func (p *packets) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return p.WriteToUDPAddrPort(b, to)
}

// mine reports whether an address is this machine's, which has its own.
func mine(a netip.Addr, own []netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || slices.Contains(own, a)
}
