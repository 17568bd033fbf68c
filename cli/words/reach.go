package words

import (
	"fmt"
	"net/netip"
)

// OpenPort says how to have others get through to a node that listens at an address, and what for.
func OpenPort(to, addr string) string {
	port := "its port"
	a, err := netip.ParseAddrPort(addr)
	if err == nil {
		port = fmt.Sprintf("port %d", a.Port())
	}
	if a.Addr().Is6() { // nothing is forwarded
		return fmt.Sprintf("%s, have the firewalls of this machine and of the router let in %s, TCP and UDP.", to, port)
	}
	return fmt.Sprintf("%s, have the firewall let in %s, TCP and UDP, and the router forward it to this machine.", to, port)
}

// passOn is what a watcher opens its port for.
const passOn = "To pass the stream on to others"

// Closed tells a watcher once that nobody can dial it. router is what its router says of that, and
// next what to do then; both may be empty. called says that calls may get through to it.
func Closed(addr, router, next string, called bool) Warning {
	w := Warning{warnClosed, "behind a router or a firewall that lets nobody in: this node watches, and nobody can watch through it", OpenPort(passOn, addr)}
	if called {
		w.Text = "behind a router or a firewall that lets nobody in: this node watches, and others watch through it only if their routers and this one let the two meet"
	}
	if router != "" {
		w.Text += ". " + router
	}
	if next != "" {
		w.Hint = passOn + ": " + next
	}
	return w
}
