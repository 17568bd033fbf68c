package words

import (
	"fmt"
	"net/netip"
)

// openPort says how to have others get through to a node that listens at an address.
func openPort(addr string) string {
	port := "its port"
	if a, err := netip.ParseAddrPort(addr); err == nil {
		port = fmt.Sprintf("port %d", a.Port())
	}
	return fmt.Sprintf("To pass the stream on to others, have the firewall let in %s, TCP and UDP, and the router forward it to this machine.", port)
}

// Closed tells a watcher once that nobody can dial it. router is what its router says of that, and
// next what to do then; both may be empty. called says that calls may get through to it.
func Closed(addr, router, next string, called bool) Warning {
	w := Warning{warnClosed, "behind a router or a firewall that lets nobody in: this node watches, and nobody can watch through it", openPort(addr)}
	if called {
		w.Text = "behind a router or a firewall that lets nobody in: this node watches, and others watch through it only if their routers and this one let the two meet"
	}
	if router != "" {
		w.Text += ". " + router
	}
	if next != "" {
		w.Hint = "To pass the stream on to others: " + next
	}
	return w
}
