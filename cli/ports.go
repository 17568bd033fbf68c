package cli

import (
	"fmt"
	"net"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/relay/hostnet"
)

// port is one listener as the flags describe it.
type port struct {
	what  string // for messages: "links"
	flag  string // its flag, without dashes
	addr  string // host:port
	given bool   // the user asked for this very address
	hint  string // what to do if that is taken; "" for the usual
	quiet bool   // nobody needs to hear that it was taken
}

// listen opens the port. One that was not asked for and is taken is replaced by a
// free one, and the user is told.
func (p port) listen(t *term.Terminal) (net.Listener, error) {
	ln, err := net.Listen("tcp", p.addr)
	if err == nil {
		return ln, nil
	}
	if !hostnet.InUse(err) {
		return nil, fault.Fail("--"+p.flag+" takes another address", "cannot listen for %s on %s: %w", p.what, p.addr, hostnet.Bare(err))
	}
	if p.given {
		return nil, &fault.Error{
			Err:  fmt.Errorf("port %s is taken by another program", p.addr),
			Hint: "leave --" + p.flag + " out to use a free port, or give another", Code: fault.ExitPort,
		}
	}
	host, _, _ := net.SplitHostPort(p.addr)
	ln, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, fault.Fail("", "cannot listen for %s: %w", p.what, hostnet.Bare(err))
	}
	if p.quiet {
		return ln, nil
	}
	t.Say("Port %s is taken, so %s use %d (--%s sets it).", p.addr, p.what, ln.Addr().(*net.TCPAddr).Port, p.flag)
	return ln, nil
}

// listenBoth opens the port for connections and for packets. Without packets a node
// works as well, but learns of others from its parent alone.
func (p port) listenBoth(t *term.Terminal) (net.Listener, net.PacketConn, error) {
	ln, err := p.listen(t)
	if err != nil {
		return nil, nil, err
	}
	packet, err := net.ListenPacket("udp", ln.Addr().String())
	if err != nil {
		t.Say("UDP port %d cannot be opened (%v), so other nodes are found more slowly.", ln.Addr().(*net.TCPAddr).Port, hostnet.Bare(err))
		return ln, nil, nil
	}
	return ln, packet, nil
}
