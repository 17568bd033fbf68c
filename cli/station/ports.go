package station

import (
	"cmp"
	"fmt"
	"net"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/relay/hostnet"
)

// Port is where to listen, and what to say if that fails.
type Port struct {
	What  string // for messages: "links"
	Flag  string // its flag, without dashes
	Addr  string // host:port
	Given bool   // the user asked for this very address
	Hint  string // what to do if that is taken; "" for the usual
	Quiet bool   // nobody needs to hear that it was taken
}

// Open opens the port for what is no part of a station.
func (p Port) Open(t *term.Terminal) (net.Listener, error) { return p.listen(t) }

// listen opens the port. If a default port is taken it opens a free one instead, and tells
// the user.
func (p Port) listen(t *term.Terminal) (net.Listener, error) {
	ln, err := net.Listen("tcp", p.Addr)
	if err == nil {
		return ln, nil
	}
	if !hostnet.InUse(err) {
		return nil, fault.Fail("--"+p.Flag+" takes another address", "cannot listen for %s on %s: %w", p.What, p.Addr, err)
	}
	if p.Given {
		hint := cmp.Or(p.Hint, "leave --"+p.Flag+" out to use a free port, or give another")
		return nil, &fault.Error{Err: fmt.Errorf("port %s is taken by another program", p.Addr), Hint: hint, Code: fault.ExitPort}
	}
	host, _, _ := net.SplitHostPort(p.Addr)
	ln, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, fault.Fail("", "cannot listen for %s: %w", p.What, err)
	}
	if p.Quiet {
		return ln, nil
	}
	t.Say("Port %s is taken, so %s use %d (--%s sets it).", p.Addr, p.What, ln.Addr().(*net.TCPAddr).Port, p.Flag)
	return ln, nil
}

// listenPacket opens the port for packets alone.
func (p Port) listenPacket() (net.PacketConn, error) {
	packet, err := net.ListenPacket("udp", p.Addr)
	switch {
	case err == nil:
		return packet, nil
	case hostnet.InUse(err):
		return nil, &fault.Error{Err: fmt.Errorf("UDP port %s is taken by another program", p.Addr), Hint: cmp.Or(p.Hint, "give another with --"+p.Flag), Code: fault.ExitPort}
	}
	return nil, fault.Fail("--"+p.Flag+" takes another address", "cannot listen for %s on %s: %w", p.What, p.Addr, err)
}

// listenBoth opens the port for connections and for packets. Without packets the node works,
// but learns of other nodes from its parent alone.
func (p Port) listenBoth(t *term.Terminal) (net.Listener, net.PacketConn, error) {
	ln, err := p.listen(t)
	if err != nil {
		return nil, nil, err
	}
	packet, err := net.ListenPacket("udp", ln.Addr().String())
	if err != nil {
		t.Say("UDP port %d cannot be opened (%s), so other nodes are found more slowly.", ln.Addr().(*net.TCPAddr).Port, fault.Plain(err))
		return ln, nil, nil
	}
	return ln, packet, nil
}
